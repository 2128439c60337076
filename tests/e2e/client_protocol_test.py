"""Clients that join rooms by themselves: a real node, tokens, and a WebSocket client that is not
ours."""

import base64
import hashlib
import hmac
import json
import os
import secrets
import shutil
import tempfile
import time

from harness import GRPCURL, NodeTestCase, main


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class ClientProtocolTest(NodeTestCase):
    async def asyncSetUp(self):
        folder = tempfile.mkdtemp(prefix="wsrouter-client-")
        self.addCleanup(shutil.rmtree, folder)
        self.secret = secrets.token_hex(32)
        with open(os.path.join(folder, "secret"), "w", encoding="ascii") as file:
            file.write(self.secret + "\n")
        self.node = await self.start(auth__issuers=f"https://id.example HS256 {folder}/secret",
                                     auth__token_query="token", presence__grace="1s")

    def token(self, client, **claims):
        claims = {"iss": "https://id.example", "sub": client, "exp": int(time.time()) + 60} | claims
        text = ".".join(base64url(json.dumps(part).encode())
                        for part in ({"alg": "HS256", "typ": "JWT"}, claims))
        return f"{text}.{base64url(hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).digest())}"

    def connect(self, client, subprotocols=("wsrouter.v1.json",), **claims):
        return self.node.connect(f"/ws?token={self.token(client, **claims)}",
                                 subprotocols=subprotocols)

    async def frame(self, client):
        return json.loads(await client.recv())

    async def test_a_token_says_which_rooms_a_client_may_join(self):
        async with self.connect("alice", **{"wsrouter.join": ["team:*"]}) as alice:
            self.assertEqual(alice.subprotocol, "wsrouter.v1.json")
            self.assertEqual((await self.frame(alice))["welcome"]["clientId"], "alice")
            await alice.send('{"join":{"id":"1","room":"team:a"}}')
            self.assertEqual(await self.frame(alice), {"joined": {"id": "1", "room": "team:a"}})
            await alice.send('{"join":{"id":"2","room":"staff"}}')
            error = (await self.frame(alice))["error"]
            self.assertEqual((error["id"], error["reason"]), ("2", "JOIN_FORBIDDEN"))
            await alice.send('{"message":{"id":"3","text":"hi"}}')
            self.assertEqual((await self.frame(alice))["error"]["reason"], "MESSAGE_UNHEARD")
            await alice.send('{"ping":{"id":"4"}}')
            self.assertEqual(await self.frame(alice), {"pong": {"id": "4", "sent": 0}})
        # Without the claim nothing may be joined.
        async with self.connect("bob") as bob:
            await self.frame(bob)
            await bob.send('{"join":{"id":"1","room":"team:a"}}')
            self.assertEqual((await self.frame(bob))["error"]["reason"], "JOIN_FORBIDDEN")

    async def test_a_client_whose_connection_breaks_comes_back_without_credentials(self):
        alice = await self.connect("alice", **{"rooms": ["team:a"]})
        welcome = (await self.frame(alice))["welcome"]
        self.assertEqual(welcome["resumeWindowMs"], 60000)
        self.assertEqual(await self.frame(alice), {"joined": {"room": "team:a"}})
        for _ in range(3):
            alice.transport.abort()
            alice = await self.node.connect(
                "/ws", subprotocols=["wsrouter.v1.json", f"wsrouter.session.{welcome['session']}"])
            self.assertEqual(alice.subprotocol, "wsrouter.v1.json")
            before, welcome = welcome, (await self.frame(alice))["welcome"]
            self.assertTrue(welcome["resumed"])
            self.assertEqual(welcome["clientId"], "alice")
            self.assertNotEqual(welcome["session"], before["session"])
            self.assertEqual(await self.frame(alice), {"gap": {"room": "team:a"}})
            self.assertEqual(await self.frame(alice), {"joined": {"room": "team:a"}})
        await alice.close()

    async def test_members_hear_who_joins_and_who_leaves(self):
        async with self.connect("alice", rooms=["team:a"]) as alice:
            await self.frame(alice)
            await self.frame(alice)
            await alice.send('{"presence":{"id":"1","room":"team:b","on":true}}')
            self.assertEqual((await self.frame(alice))["error"]["reason"], "NOT_A_MEMBER")
            await alice.send('{"presence":{"id":"2","room":"team:a","on":true}}')
            self.assertEqual(await self.frame(alice), {"ack": {"id": "2"}})
            self.assertEqual(await self.frame(alice), {"presence": {
                "room": "team:a", "full": True, "joined": ["alice"], "count": 1}})
            async with self.connect("bob", rooms=["team:a"]):
                self.assertEqual(await self.frame(alice), {"presence": {
                    "room": "team:a", "joined": ["bob"], "count": 2}})
            self.assertEqual(await self.frame(alice), {"presence": {
                "room": "team:a", "left": ["bob"], "count": 1}})
            await alice.send('{"presence":{"id":"3","room":"team:a","on":false}}')
            self.assertEqual(await self.frame(alice), {"ack": {"id": "3"}})

    async def test_a_node_that_stops_says_bye(self):
        async with self.connect("alice") as alice:
            await self.frame(alice)
            self.node.send(15)
            self.assertEqual(await self.frame(alice),
                             {"bye": {"code": 1012, "reason": "node is stopping",
                                      "advice": "ADVICE_AT_ONCE"}})

    async def test_clients_with_and_without_the_subprotocol_share_a_room(self):
        claims = {"rooms": ["team:a"]}
        async with self.connect("alice", **claims) as alice, \
                self.connect("bob", subprotocols=None, **claims) as bob:
            self.assertIn("welcome", await self.frame(alice))
            self.assertEqual(await self.frame(alice), {"joined": {"room": "team:a"}})
            self.assertIsNone(bob.subprotocol)
            await self.push("team:a", "gr\u00fc\u00dfe \"\\")
            self.assertEqual(await self.frame(alice),
                             {"msg": {"room": "team:a", "text": "gr\u00fc\u00dfe \"\\"}})
            self.assertEqual(await bob.recv(), "gr\u00fc\u00dfe \"\\")

    async def push(self, room, text):
        if not os.access(GRPCURL, os.X_OK):
            self.skipTest("no grpcurl")
        await self.node.call("Router/Push", room=room, payload={"text": text})


if __name__ == "__main__":
    main()
