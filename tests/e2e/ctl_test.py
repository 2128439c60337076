"""wsrouterctl against the built node."""

import asyncio
import json
import os
import secrets
import shutil
import tempfile

from access_test import Folder
from harness import NodeTestCase, clean_environment, main, within

CTL = os.path.join(os.environ["WSROUTER_BUILD_DIR"], "wsrouterctl")


async def ctl(*words, **environment):
    """Exit code, stdout, stderr."""
    process = await asyncio.create_subprocess_exec(
        CTL, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=clean_environment(**environment))
    out, err = await within(process.communicate(), f"the end of wsrouterctl {words}")
    return process.returncode, out.decode(), err.decode()


class CtlTest(NodeTestCase):
    async def shown(self, node, *words):
        code, out, err = await ctl("--address", node.control, *words)
        self.assertEqual((code, err), (0, ""), words)
        return out

    async def test_tables_and_json_show_the_same(self):
        node = await self.start(node__server_id="gw-1")
        await self.connect(node)
        self.assertRegex(await self.shown(node, "nodes"), r"(?m)^gw-1 .*\*")
        nodes = json.loads(await self.shown(node, "--json", "nodes"))
        self.assertEqual([n["server_id"] for n in nodes["nodes"]], ["gw-1"])
        self.assertRegex(await self.shown(node, "stats"), r"(?m)^connections +1$")
        stats = json.loads(await self.shown(node, "stats", "--json"))
        self.assertEqual(stats["gauges"]["connections"], 1)
        self.assertIn("ROOM", await self.shown(node, "rooms"))
        self.assertEqual(json.loads(await self.shown(node, "--json", "rooms"))["rooms"], [])
        self.assertIn("CLIENT", await self.shown(node, "members", "lobby"))
        self.assertEqual(
            json.loads(await self.shown(node, "--json", "members", "lobby"))["members"], [])
        top = await self.shown(node, "top", "--count", "2", "--interval", "0.1")
        self.assertEqual(top.count("NODE"), 2)

    async def test_history_shows_what_a_room_was_sent(self):
        node = await self.start(history__size="2", history__reliable="always")
        for text in ("one", "two", "three"):
            await self.shown(node, "send", "--room", "lobby", text)
        table = await self.shown(node, "history", "lobby")
        self.assertRegex(table, r"(?s)\n2 .* two\n3 .* three\n$")
        last = json.loads(await self.shown(node, "--json", "history", "lobby", "--count", "1"))
        self.assertEqual([e["payload"]["text"] for e in last["entries"]], ["three"])
        self.assertTrue(last["more"])

    async def test_send_watch_drain_and_undrain(self):
        node = await self.start()
        client = await self.connect(node)
        watched = json.loads(await self.shown(node, "--json", "watch", "--count", "1"))
        self.assertEqual(watched["kind"], "EVENT_KIND_CONNECTED")
        connection = watched["connection_id"]
        self.assertIn(connection, await self.shown(node, "watch", "--count", "1"))
        self.assertIn("0 of 0", await self.shown(node, "send", "--room", "lobby", "hello"))
        self.assertIn("nobody", await self.shown(node, "send", "--client", "alice", "hello"))
        self.assertIn("delivered", await self.shown(node, "send", "--everyone", "hello"))
        self.assertIn("serving", await self.shown(node, "nodes"))
        self.assertIn("draining", await self.shown(node, "drain", "--window", "0"))
        self.assertIn("draining", await self.shown(node, "nodes"))
        await self.assertClosed(client, 1012)
        self.assertIn("again", await self.shown(node, "undrain"))
        self.assertIn("serving", await self.shown(node, "nodes"))
        await self.connect(node)

    async def test_failure_says_why(self):
        code, out, err = await ctl("--address", "127.0.0.1:1", "--deadline", "2", "nodes")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("UNAVAILABLE", err)
        node = await self.start()
        code, _, err = await ctl("--address", node.control, "members", "")
        self.assertEqual(code, 1)
        self.assertRegex(err, "INVALID_ARGUMENT FIELD_[A-Z]+: .*room")

    async def test_wrong_usage_is_2(self):
        for words in ((), ("nope",), ("send", "text"), ("nodes", "--cert", "/nowhere")):
            code, out, err = await ctl(*words)
            self.assertEqual((code, out), (2, ""), words)
            self.assertNotEqual(err, "", words)

    async def test_tls_files_show_who_calls_and_who_answers(self):
        folder = Folder()
        self.addCleanup(lambda: shutil.rmtree(folder.path))
        folder.issue("node", "node", "DNS:localhost,IP:127.0.0.1")
        folder.issue("ops", "ops")
        node = await self.start(
            control__tls__cert_file=folder / "node.pem", control__tls__key_file=folder / "node.key",
            control__tls__client_ca_file=folder / "ca.pem", control__client_names="ops read")
        address = ("--address", node.control)
        shown = ("--cert", folder / "ops.pem", "--key", folder / "ops.key")
        code, out, err = await ctl(*address, "--ca", folder / "ca.pem", *shown, "nodes")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("NODE", out)
        code, _, err = await ctl(*address, "--ca", folder / "ca.pem", *shown, "drain")
        self.assertEqual(code, 1)
        self.assertIn("PERMISSION_DENIED", err)
        # In plain text, without a certificate, and with an authority that did not issue the node's.
        for words in ((), ("--ca", folder / "ca.pem"), ("--ca", folder / "ops.pem", *shown)):
            code, out, err = await ctl(*address, "--deadline", "2", *words, "nodes")
            self.assertEqual((code, out), (1, ""), words)
            self.assertIn("UNAVAILABLE", err)

    async def test_token_comes_from_a_file_or_the_environment(self):
        token = secrets.token_hex(32)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        tokens, good, bad = (os.path.join(folder.name, n) for n in ("tokens", "good", "bad"))
        for path, text in ((tokens, f"ops read {token}\n"), (good, token + "\n"),
                           (bad, "x" * 64 + "\n")):
            with open(path, "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o600)) as file:
                file.write(text)
        node = await self.start(control__tokens_file=tokens)
        address = ("--address", node.control)
        self.assertEqual((await ctl(*address, "--token-file", good, "nodes"))[0], 0)
        self.assertEqual((await ctl(*address, "nodes", WSROUTER_TOKEN=token))[0], 0)
        for words in ((), ("--token-file", bad)):
            code, out, err = await ctl(*address, *words, "nodes")
            self.assertEqual((code, out), (1, ""))
            self.assertIn("UNAUTHENTICATED", err)
            self.assertNotIn("xxxx", err)
        code, _, err = await ctl(*address, "--token-file", good, "drain")
        self.assertEqual(code, 1)
        self.assertIn("PERMISSION_DENIED", err)


if __name__ == "__main__":
    main()
