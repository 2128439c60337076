"""Who may call the control port: certificates made by openssl, calls by grpcurl, and no secret in
anything that a node says."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile

import websockets

from harness import CallFailed, NodeTestCase, main, run_program, settings, ANY_PORTS

PERMISSION_DENIED = 7
UNAUTHENTICATED = 16

# The method, without asking the node's reflection, and so without the type of what says the reason.
FROM_FILES = ("-import-path", "proto", "-proto", "wsrouter/v1/router.proto")


class Folder:
    """An authority, certificates, and other files that a node is given."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="wsrouter-access-")
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                     "-subj", "/CN=authority of the test", "-days", "2",
                     "-keyout", self / "ca.key", "-out", self / "ca.pem")

    def __truediv__(self, name):
        return os.path.join(self.path, name)

    def openssl(self, *words):
        subprocess.run(["openssl", *words], check=True, capture_output=True)

    def issue(self, name, common_name, alternative_names=""):
        """name.pem and name.key, each put in place in one step."""
        draft, extensions = self / f"{name}.draft", self / f"{name}.ext"
        with open(extensions, "w", encoding="ascii") as file:
            file.write(f"subjectAltName={alternative_names}\n" if alternative_names else "")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                     "-subj", f"/CN={common_name}", "-keyout", f"{draft}.key", "-out", f"{draft}.csr")
        self.openssl("x509", "-req", "-in", f"{draft}.csr", "-CA", self / "ca.pem",
                     "-CAkey", self / "ca.key", "-CAcreateserial", "-days", "1",
                     "-extfile", extensions, "-out", f"{draft}.pem")
        os.rename(f"{draft}.key", self / f"{name}.key")
        os.rename(f"{draft}.pem", self / f"{name}.pem")

    def write(self, name, text):
        with open(self / f"{name}.draft", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(self / f"{name}.draft", self / name)
        return self / name

    def secrets(self):
        """What is in the private keys, without what all of them begin with."""
        for name in os.listdir(self.path):
            if name.endswith(".key"):
                with open(self / name, encoding="ascii") as file:
                    yield file.read().splitlines()[1]

    def remove(self):
        shutil.rmtree(self.path)


class AccessTest(NodeTestCase):
    async def asyncSetUp(self):
        self.folder = Folder()
        self.addCleanup(self.folder.remove)
        self.folder.issue("node", "localhost", "DNS:localhost,IP:127.0.0.1")
        self.tokens = {role: f"{role}-{secrets.token_hex(20)}" for role in
                       ("read", "publish", "admin")}
        self.tokens_file = self.folder.write("tokens", "".join(
            f"service {role} {token}\n" for role, token in self.tokens.items()))
        self.tls = {"control__tls__cert_file": self.folder / "node.pem",
                    "control__tls__key_file": self.folder / "node.key"}

    def bearer(self, role):
        return "-H", f"authorization: Bearer {self.tokens[role]}"

    async def call(self, node, method, *words, shown="", **request):
        """One call over TLS; `shown` is the certificate that the caller shows."""
        tls = ["-cacert", self.folder / "ca.pem"]
        if shown:
            tls += ["-cert", self.folder / f"{shown}.pem", "-key", self.folder / f"{shown}.key"]
        return json.loads(await node.grpcurl(
            *tls, *words, "-d", json.dumps(request), node.control, f"wsrouter.v1.{method}",
            plaintext=False))

    async def assertFails(self, code, reason, awaitable):
        with self.assertRaises(CallFailed) as failed:
            await awaitable
        self.assertEqual((failed.exception.code, failed.exception.reason), (code, reason))

    async def test_tokens_over_tls(self):
        node = await self.start(control__tokens_file=self.tokens_file, **self.tls)
        stats = await self.call(node, "Admin/Stats", *self.bearer("read"))
        self.assertEqual(stats["counters"]["calls_denied_total"], "0")
        self.assertIn("yaml", await self.call(node, "Admin/GetConfig", *self.bearer("admin")))
        push = {"room": "lobby", "payload": {"text": "hi"}}
        await self.call(node, "Router/Push", *self.bearer("publish"), **push)
        # grpcurl asks reflection for the method with the same credential.
        denied = self.call(node, "Router/Push", *self.bearer("read"), **push)
        await self.assertFails(PERMISSION_DENIED, "ROLE_MISSING", denied)
        line = await node.log_line("call_denied")
        self.assertEqual((line["method"], line["reason"]),
                         ("/wsrouter.v1.Router/Push", "ROLE_MISSING"))
        self.assertRegex(line["peer"], "^ipv4:127")

    async def test_certificates(self):
        self.folder.issue("chat", "chat backend")
        self.folder.issue("stranger", "stranger", "DNS:stranger.example.org")
        node = await self.start(control__tls__client_ca_file=self.folder / "ca.pem",
                                control__client_names="chat backend publish", **self.tls)
        await self.call(node, "Router/OnlineCount", shown="chat")
        await self.assertFails(PERMISSION_DENIED, "ROLE_MISSING",
                               self.call(node, "Admin/GetConfig", shown="chat"))
        await self.assertFails(UNAUTHENTICATED, None, self.call(
            node, "Router/OnlineCount", *FROM_FILES, shown="stranger"))
        self.assertEqual((await node.log_line("call_denied"))["reason"], "ROLE_MISSING")
        self.assertEqual((await node.log_line("call_denied"))["reason"], "UNAUTHENTICATED_CALL")

    async def test_what_changes_on_disk_is_taken_and_what_is_bad_is_not(self):
        node = await self.start(control__tokens_file=self.tokens_file, **self.tls)
        expiry = self.expiry((await node.http("/metrics"))[1])
        self.folder.write("node.pem", "no certificate")
        refused = await node.log_line("credential_refused")
        self.assertIn("node.pem has no certificate", refused["message"])
        await self.call(node, "Admin/Stats", *self.bearer("read"))
        self.assertEqual(self.expiry((await node.http("/metrics"))[1]), expiry)
        self.folder.issue("node", "localhost", "DNS:localhost,IP:127.0.0.1")
        await node.log_line("credential_changed")
        self.assertGreater(self.expiry((await node.http("/metrics"))[1]), expiry)
        self.tokens["next"] = f"next-{secrets.token_hex(20)}"
        self.folder.write("tokens", f"service read {self.tokens['next']}\n")
        await node.log_line("credential_changed")
        await self.call(node, "Admin/Stats", *self.bearer("next"))
        await self.assertFails(UNAUTHENTICATED, None, self.call(
            node, "Admin/Stats", *FROM_FILES, *self.bearer("admin")))

    def expiry(self, metrics):
        name = 'wsrouter_certificate_expiry_seconds{port="control"} '
        return float(next(line for line in metrics.splitlines() if line.startswith(name))
                     .removeprefix(name))

    async def test_a_port_that_others_reach_wants_tls_and_a_rule(self):
        far = ANY_PORTS | {"control.listen": "0.0.0.0:0"}
        tls = {key.replace("__", "."): value for key, value in self.tls.items()}
        tokens = {"control.tokens_file": self.tokens_file}
        for keys, why in ((far, "nothing says who may call"), (far | tls, "nothing says who may call"),
                          (far | tokens, "sends tokens in plain text")):
            code, _, err = await run_program(*settings(keys))
            self.assertEqual(code, 2, err)
            self.assertEqual(len(err.splitlines()), 1, err)
            self.assertIn(why, err)
        await self.start(control__listen="0.0.0.0:0", control__tokens_file=self.tokens_file, **self.tls)

    async def test_no_secret_is_in_anything_that_a_node_says(self):
        redis_password, seal_key = secrets.token_hex(20), secrets.token_hex(20)
        issuer_secret, cookie_secret = secrets.token_hex(32), secrets.token_hex(16)
        client_token = f"e30.e30.{secrets.token_hex(20)}"
        client_auth = {
            "auth.issuers": f"https://id.example HS256 {self.folder.write('issuer', issuer_secret)}",
            "auth.audiences": "chat", "auth.token_query": "token", "auth.session_cookie": "sid",
            "gateway.allowed_origins": "*"}
        wrong = f"wrong-{secrets.token_hex(20)}"
        environment = {
            # Nobody is there: the node says so, without the password.
            "WSROUTER_REDIS_URL": f"redis://wsrouter:{redis_password}@127.0.0.1:1/0",
            "WSROUTER_REDIS_SENTINEL_PASSWORD": f"s{redis_password}",
            "WSROUTER_REDIS_HMAC_KEYS": f"k1:{seal_key}",
            "WSROUTER_AUTH_SESSION_COOKIE_SECRETS": cookie_secret}
        node = await self.start(control__tokens_file=self.tokens_file, log__level="debug",
                                environment=environment, **self.tls,
                                **{key.replace(".", "__"): value for key, value in client_auth.items()})
        said = []
        with self.assertRaises(websockets.ConnectionClosed):
            async with node.connect(f"/ws?token={client_token}") as client:
                await client.recv()
        for role in self.tokens:
            with self.subTest(role):
                said.append(json.dumps(await self.call(node, "Admin/Stats", *self.bearer(role))))
        said.append(json.dumps(await self.call(node, "Admin/GetConfig", *self.bearer("admin"))))
        for words in (self.bearer("read"), ("-H", f"authorization: Bearer {wrong}"),
                      ("-H", f"authorization: Basic {wrong}")):
            for files in ((), FROM_FILES):
                with self.assertRaises(CallFailed) as failed:
                    await self.call(node, "Admin/GetConfig", *files, *words)
                said.append(str(failed.exception))
        await node.log_line("call_denied")
        # Files that are refused, with what is secret where it does not belong.
        self.folder.write("tokens", f"service {self.tokens['admin']} read\n{wrong}\n")
        await node.log_line("credential_refused")
        with open(self.folder / "node.key", encoding="ascii") as key:
            self.folder.write("node.pem", key.read())
        await node.log_line("credential_refused")
        for path in ("/metrics", "/healthz", "/readyz", "/healthz/ws"):
            said.append((await node.http(path))[1])
        node.send(signal.SIGTERM)
        self.assertEqual(await node.exit_code(), 0)
        said += [json.dumps(line) for line in node.lines]
        _, out, err = await run_program(
            "--check-config", *settings(ANY_PORTS | client_auth | {"control.tokens_file": self.tokens_file}),
            **environment)
        said += [out, err]
        everything = "\n".join(said)
        self.assertIn("wsrouter_connections", everything)
        self.assertIn("tokens_file", everything)
        self.assertIn("call_denied", everything)
        self.assertIn("https://id.example", everything)
        for secret in (*self.tokens.values(), wrong, redis_password, seal_key, issuer_secret,
                       cookie_secret, client_token, *self.folder.secrets()):
            self.assertNotIn(secret, everything)


if __name__ == "__main__":
    main(needs_grpcurl=True)
