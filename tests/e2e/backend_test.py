"""Services decide about clients: one that the node dials, and one that attaches with grpcurl."""

import asyncio
import json
import os

import websockets

from harness import GRPCURL, NodeTestCase, main, within

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


if __name__ == "__main__":
    main(needs_grpcurl=True)
