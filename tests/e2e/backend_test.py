"""Services decide about clients: one that the node dials, and one that attaches with grpcurl."""

import asyncio
import json
import os

import websockets

from harness import CallFailed, GRPCURL, NodeTestCase, main, within

SERVICE = os.path.join(os.environ["WSROUTER_BUILD_DIR"], "tests", "chat_service")


class Lines:
    """A process that is spoken to in lines."""

    @classmethod
    async def start(cls, *words):
        lines = cls()
        lines.process = await asyncio.create_subprocess_exec(
            *words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
        return lines

    async def line(self):
        return (await within(self.process.stdout.readline(), "a line")).decode().strip()

    async def write(self, text):
        self.process.stdin.write(text.encode() + b"\n")
        await self.process.stdin.drain()

    async def value(self):
        """The next of the JSON values that come over several lines."""
        text = ""
        while True:
            line = await self.line()
            if not line and not text:
                raise AssertionError("the stream ended")
            text += line + "\n"
            try:
                return json.loads(text)
            except json.JSONDecodeError:
                continue

    async def end(self):
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


class DialledTest(NodeTestCase):
    async def asyncSetUp(self):
        self.service = await Lines.start(SERVICE)
        self.addAsyncCleanup(self.service.end)
        port = await self.service.line()
        self.node = await self.start(backend__routes=f"/chat dns:///127.0.0.1:{port}")

    async def test_clients_are_let_in_speak_and_are_missed(self):
        alice = await self.connect(self.node, "/chat?alice")
        await self.assertReceives(alice, "welcome alice")
        bob = await self.connect(self.node, "/chat/room/7?bob")
        await self.assertReceives(bob, "welcome bob")
        await alice.send("hello")
        await self.assertReceives(alice, "alice: hello")
        await self.assertReceives(bob, "alice: hello")
        await alice.close(1000)
        self.assertEqual(await self.service.line(), "gone alice")

    async def test_it_decides_which_rooms_a_client_may_join(self):
        client = await self.connect(self.node, "/chat?alice", subprotocols=["wsrouter.v1.json"])
        for _ in ("welcome", "msg", "joined"):
            await client.recv()
        await client.send('{"join":{"id":"1","room":"alice"}}')
        await self.assertReceives(client, '{"joined":{"id":"1","room":"alice"}}')
        await client.send('{"join":{"id":"2","room":"bob"}}')
        await self.assertReceives(
            client, '{"error":{"id":"2","reason":"JOIN_FORBIDDEN","text":"not your room"}}')
        await self.service.end()
        await client.send('{"join":{"id":"3","room":"alice2"}}')
        self.assertIn("JOIN_UNDECIDED", await client.recv())

    async def test_a_client_without_a_name_is_refused_visibly(self):
        client = await self.connect(self.node, "/chat")
        await self.assertClosed(client, 4001)
        self.assertEqual(client.close_reason, "who are you?")

    async def test_the_path_of_the_gateway_is_nobodys(self):
        client = await self.connect(self.node, "/ws")
        await client.ping()
        with self.assertRaises(websockets.InvalidStatusCode):
            await self.connect(self.node, "/chats")

    async def test_without_the_service_clients_are_told_to_come_later(self):
        await self.service.end()
        client = await self.connect(self.node, "/chat?alice")
        await self.assertClosed(client, 1013)


class AttachedTest(NodeTestCase):
    async def test_grpcurl_decides(self):
        node = await self.start(backend__routes="/chat attached")
        service = await Lines.start(GRPCURL, "-plaintext", "-emit-defaults", "-d", "@", node.control,
                                    "wsrouter.v1.Events/Attach")
        self.addAsyncCleanup(service.end)
        await service.write('{"attach": {"path_prefix": "/chat"}}')
        self.assertIn("ready", await service.value())
        connecting = asyncio.create_task(self.connect(node, "/chat?alice"))
        question = (await service.value())["question"]
        self.assertEqual(question["connect"]["client"]["query"], "alice")
        await service.write(json.dumps({"answer": {
            "question_id": question["question_id"],
            "connect": {"accept": {"client_id": "alice", "first": [{"text": "welcome"}]}}}}))
        client = await within(connecting, "the client")
        await self.assertReceives(client, "welcome")
        await client.send("hello")
        question = (await service.value())["question"]
        self.assertEqual(question["message"]["client_id"], "alice")
        await service.write(json.dumps({"answer": {
            "question_id": question["question_id"],
            "message": {"effects": [{"send": {"text": "hi"}}, {"disconnect": {"code": 4999}}]}}}))
        await self.assertReceives(client, "hi")
        await self.assertClosed(client, 4999)
        question = (await service.value())["question"]
        self.assertEqual(question["disconnected"]["disconnected"]["code"], 4999)

    async def test_effects_in_a_clients_name_count_for_that_client(self):
        node = await self.start(backend__routes="/chat attached", limits__client_rate="2/1h")
        service = await Lines.start(GRPCURL, "-plaintext", "-emit-defaults", "-d", "@", node.control,
                                    "wsrouter.v1.Events/Attach")
        self.addAsyncCleanup(service.end)
        await service.write('{"attach": {"path_prefix": "/chat", "methods": ["Connect", "Message"]}}')
        await service.value()

        async def answer(kind, decision):
            question_id = (await service.value())["question"]["question_id"]
            await service.write(json.dumps({"answer": {"question_id": question_id, kind: decision}}))
        connecting = asyncio.create_task(self.connect(node, "/chat"))
        await answer("connect", {"accept": {"client_id": "alice", "rooms": ["lobby"]}})
        client = await within(connecting, "the client")

        def push(text, sender):
            return {"push": {"room": "lobby", "payload": {"text": text}, "from_client_id": sender}}
        await client.send("hello")
        await answer("message", {"effects": [push("1", "alice"), push("2", "alice"),
                                             push("3", "alice"), push("4", "bob"), push("5", "")]})
        for text in ("1", "2", "4", "5"):
            await self.assertReceives(client, text)
        gauges = json.loads((await node.http("/healthz/ws"))[1])
        self.assertEqual(gauges["client_rate_limit_drops_total"], 1)
        with self.assertRaises(CallFailed) as refused:  # what the service spent, callers have not
            await node.call("Router/Push", room="lobby", payload={"text": "6"},
                            from_client_id="alice")
        self.assertEqual(refused.exception.reason, "RATE_CLIENT")

    async def test_grpcurl_decides_which_rooms_a_client_may_join(self):
        node = await self.start(backend__routes="/chat attached")
        service = await Lines.start(GRPCURL, "-plaintext", "-emit-defaults", "-d", "@", node.control,
                                    "wsrouter.v1.Events/Attach")
        self.addAsyncCleanup(service.end)
        await service.write('{"attach": {"path_prefix": "/chat", "methods": ["Connect", "JoinCheck"]}}')
        await service.value()
        connecting = asyncio.create_task(
            self.connect(node, "/chat", subprotocols=["wsrouter.v1.json"]))

        async def answer(kind, decision):
            question = (await service.value())["question"]
            await service.write(json.dumps({"answer": {"question_id": question["question_id"],
                                                       kind: decision}}))
            return question
        await answer("connect", {"accept": {"client_id": "alice", "may_join": ["own:*"]}})
        client = await within(connecting, "the client")
        self.assertEqual(json.loads(await client.recv())["welcome"]["clientId"], "alice")
        await client.send('{"join":{"id":"1","room":"own:1"}}')
        await self.assertReceives(client, '{"joined":{"id":"1","room":"own:1"}}')
        await client.send('{"join":{"id":"2","room":"hall"}}')
        await client.send('{"join":{"id":"3","room":"cellar"}}')
        asked = (await answer("join_check", {"allow": {}}))["join_check"]
        self.assertEqual((asked["client_id"], asked["room"], asked["client"]["path"]),
                         ("alice", "hall", "/chat"))
        await self.assertReceives(client, '{"joined":{"id":"2","room":"hall"}}')
        await answer("join_check", {"deny": {"reason": "members only"}})
        await self.assertReceives(
            client, '{"error":{"id":"3","reason":"JOIN_FORBIDDEN","text":"members only"}}')
        await service.end()
        await client.send('{"join":{"id":"4","room":"hall2"}}')
        self.assertEqual(json.loads(await client.recv())["error"]["id"], "4")


if __name__ == "__main__":
    main(needs_grpcurl=True)
