"""What a node does with more clients than it may have descriptors, and with one that sends too much."""

import asyncio
import contextlib
import os
import re
import time

import websockets

from harness import NodeTestCase, main, within

REQUEST = ("GET {} HTTP/1.1\r\nHost: e2e\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n")
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(node):
    with open(f"/proc/{node.process.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def counter(node, name):
    _, text = await node.http("/metrics")
    return float(re.search(rf"^wsrouter_{name} (\S+)$", text, re.MULTILINE).group(1))


class FullNodeTest(NodeTestCase):
    async def test_who_finds_no_place_is_told_when_to_come_again(self):
        node = await self.start(gateway__connections_max="3")
        clients = [await self.connect(node) for _ in range(3)]
        with self.assertRaises(websockets.InvalidStatusCode) as refused:
            await self.connect(node)
        self.assertEqual(refused.exception.status_code, 503)
        self.assertIn(int(refused.exception.headers["Retry-After"]), range(5, 26))
        self.assertEqual(await counter(node, "accepts_refused_node_total"), 1)
        await clients[0].close()

        async def let_in():
            while True:
                try:
                    return await self.connect(node)
                except websockets.InvalidStatusCode:
                    pass
        await within(let_in(), "the place of the client that left")


class DescriptorTest(NodeTestCase):
    """256 descriptors and 400 clients."""

    async def open_clients(self, node, count):
        host, port = node.gateway.rsplit(":", 1)

        async def open_one():
            reader, writer = await asyncio.open_connection(host, int(port))
            self.addCleanup(writer.transport.abort)
            writer.write(REQUEST.format("/echo").encode())
            return reader, writer

        return await within(asyncio.gather(*(open_one() for _ in range(count))), "the connections")

    async def test_what_does_not_fit_waits_costs_nothing_and_comes_in_when_others_leave(self):
        node = await self.start(descriptors=256, gateway__connections_max="1000",
                                gateway__echo_path="/echo", node__shards="1",
                                limits__connections_per_address="0",
                                limits__connects_per_address_rate="0")
        clients = await self.open_clients(node, 400)
        waiting = {asyncio.ensure_future(reader.readuntil(b"\r\n\r\n")): (reader, writer)
                   for reader, writer in clients}

        async def until_pauses(count):
            while await counter(node, "accept_pauses_total") < count:
                await asyncio.sleep(0.05)

        await within(until_pauses(1), "a pause")
        began, cpu = time.monotonic(), cpu_seconds(node)
        pauses = await counter(node, "accept_pauses_total")
        await within(until_pauses(pauses + 20), "20 pauses of 100 ms")
        share = (cpu_seconds(node) - cpu) / (time.monotonic() - began)
        print(f"CPU with every descriptor taken: {100 * share:.1f} % of a core")
        self.assertLess(share, 0.5)

        served = [task for task in waiting if task.done()]
        self.assertGreater(len(served), 64)
        self.assertLess(len(served), 256)
        descriptors = len(os.listdir(f"/proc/{node.process.pid}/fd"))
        self.assertLess(descriptors, 256 - 16, "nothing is left for Redis, gRPC and files")
        self.assertEqual((await node.http("/readyz"))[0], 200)

        # Each who leaves lets one in.
        rest = set(waiting) - set(served)
        while rest:
            for task in served:
                self.assertTrue(task.result().startswith(b"HTTP/1.1 101"), task.result())
                waiting[task][1].transport.abort()
            done, rest = await within(
                asyncio.wait(rest, return_when=asyncio.FIRST_COMPLETED), "those who waited")
            served = list(done)
        self.assertEqual(await counter(node, "accepts_refused_total"), 0)

    async def test_too_few_descriptors_are_an_error_that_says_how_many_are_wanted(self):
        with self.assertRaisesRegex(AssertionError, "may have 100 descriptors, want at least 16"):
            await self.start(descriptors=100, node__shards="1")


class FloodTest(NodeTestCase):
    async def test_a_client_that_sends_too_much_is_closed_4029_by_default(self):
        node = await self.start()
        client = await self.connect(node)
        other = await self.connect(node)
        with contextlib.suppress(websockets.ConnectionClosed):
            for _ in range(300):
                await client.send("too much")
        await self.assertClosed(client, 4029)
        await within(await other.ping(), "a Pong")


if __name__ == "__main__":
    main()
