"""Who is let in by a token or a signed cookie: a real node, a WebSocket client that is not ours, and
tokens made here."""

import base64
import hashlib
import hmac
import json
import os
import secrets
import shutil
import tempfile
import time
import urllib.parse

import websockets

from harness import NodeTestCase, main


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def token(secret, key_id=None, algorithm="HS256", **claims):
    header = {"alg": algorithm, "typ": "JWT"} | ({"kid": key_id} if key_id else {})
    text = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    proof = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64url(proof) if algorithm != 'none' else ''}"


def express_cookie(secret, value):
    proof = hmac.new(secret.encode(), value.encode(), hashlib.sha256).digest()
    return urllib.parse.quote(f"s:{value}.{base64.b64encode(proof).rstrip(b'=').decode()}", safe="")


class TokenTest(NodeTestCase):
    async def asyncSetUp(self):
        self.folder = tempfile.mkdtemp(prefix="wsrouter-token-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.secret = secrets.token_hex(32)
        self.cookie_secret = secrets.token_hex(16)
        self.write("secret", self.secret)
        self.node = await self.start(
            environment={"WSROUTER_AUTH_SESSION_COOKIE_SECRETS": self.cookie_secret},
            auth__issuers=f"https://id.example HS256 {self.folder}/secret", auth__audiences="chat",
            auth__token_query="token", auth__token_subprotocol="bearer.",
            auth__session_cookie="connect.sid", gateway__subprotocols="chat.v1",
            gateway__allowed_origins="*")

    def write(self, name, text):
        with open(f"{self.folder}/{name}.new", "w", encoding="ascii") as file:
            file.write(text + "\n")
        os.rename(f"{self.folder}/{name}.new", f"{self.folder}/{name}")

    def token(self, secret=None, **claims):
        return token(secret or self.secret, **({"iss": "https://id.example", "aud": "chat",
                                                "sub": "alice", "exp": int(time.time()) + 60} | claims))

    async def close_of(self, **options):
        """The code and reason with which the node turns a client away."""
        path = options.pop("path", "/ws")
        async with self.node.connect(path, **options) as client:
            with self.assertRaises(websockets.ConnectionClosed) as closed:
                await client.recv()
            return closed.exception.rcvd.code, closed.exception.rcvd.reason

    async def connections(self):
        return json.loads((await self.node.http("/healthz/ws"))[1])

    async def test_good_tokens_let_in_from_every_place(self):
        bearer = f"bearer.{self.token()}"
        places = [{"path": f"/ws?token={self.token()}"},
                  {"extra_headers": {"Authorization": f"Bearer {self.token()}"}},
                  {"subprotocols": ["chat.v1", bearer]},
                  {"extra_headers": {"Cookie": "connect.sid=" +
                                     express_cookie(self.cookie_secret, "alice")}}]
        for options in places:
            path = options.pop("path", "/ws")
            async with self.node.connect(path, **options) as client:
                await (await client.ping())
                self.assertIn(client.subprotocol, (None, "chat.v1"))

    async def test_bad_tokens_are_told_why(self):
        now = int(time.time())
        expected = [(self.token(exp=now - 3600), "TOKEN_EXPIRED"),
                    (self.token(nbf=now + 3600), "TOKEN_NOT_YET_VALID"),
                    (self.token(aud="shop"), "TOKEN_WRONG_AUDIENCE"),
                    (self.token(iss="https://evil.example"), "TOKEN_WRONG_ISSUER"),
                    (self.token(secret="x" * 32), "TOKEN_BAD_SIGNATURE"),
                    (self.token(algorithm="none"), "TOKEN_ALGORITHM"),
                    (self.token(algorithm="RS256"), "TOKEN_ALGORITHM"),
                    ("nonsense", "TOKEN_MALFORMED")]
        for bad, reason in expected:
            self.assertEqual(await self.close_of(path=f"/ws?token={bad}"), (4002, reason))
        self.assertEqual(await self.close_of(), (4001, "TOKEN_MISSING"))

    async def test_a_rotated_secret_counts_without_a_restart(self):
        new = secrets.token_hex(32)
        self.write("secret", new)
        fresh = self.token(secret=new)

        async def accepted():
            async with self.node.connect(f"/ws?token={fresh}") as client:
                try:
                    await (await client.ping())
                    return True
                except websockets.ConnectionClosed:
                    return False
        while not await accepted():
            pass
        self.assertEqual(await self.close_of(path=f"/ws?token={self.token()}"),
                         (4002, "TOKEN_BAD_SIGNATURE"))

    async def test_no_secret_and_no_token_is_shown_anywhere(self):
        used = [self.token(), self.token(secret="y" * 32)]
        for one in used:
            async with self.node.connect(f"/ws?token={one}") as client:
                try:
                    await (await client.ping())
                except websockets.ConnectionClosed:
                    pass
        shown = (await self.node.http("/metrics"))[1] + (await self.node.http("/healthz/ws"))[1]
        self.node.send(15)
        await self.node.exit_code()
        shown += json.dumps(self.node.lines)
        for secret in [self.secret, self.cookie_secret, *used]:
            self.assertNotIn(secret, shown)


if __name__ == "__main__":
    main()
