"""The processes of crash_test.py: nodes that are killed, and programs that are told lines."""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections import Counter

from harness import Node, within

TOOLS = os.path.join(os.environ["WSROUTER_BUILD_DIR"], "tests")


class Child:
    """A program that is told lines and tells lines."""

    def __init__(self, process, on_line):
        self.process = process
        self.reader = asyncio.create_task(self.read(on_line))

    @classmethod
    async def start(cls, on_line, program, *words):
        return cls(await asyncio.create_subprocess_exec(
            os.path.join(TOOLS, program), *words, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE), on_line)

    async def read(self, on_line):
        rest = b""
        while octets := await self.process.stdout.read(1 << 18):
            *lines, rest = (rest + octets).split(b"\n")
            for line in lines:
                on_line(line.decode())

    def tell(self, line):
        self.process.stdin.write(f"{line}\n".encode())

    async def end(self):
        """At the end of its input it ends by itself."""
        if self.process.returncode is None:
            self.process.stdin.close()
        await within(self.process.wait(), "the end of a child")
        await self.reader

    async def kill(self):
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
        await self.process.wait()
        await self.reader


class Place:
    """Where a node is, is killed and is started again."""

    def __init__(self, server_id, redis, keys, outages):
        self.server_id, self.redis, self.keys = server_id, redis, keys
        self.outages = outages  # when nodes lost Redis without being killed, in ms
        self.node = self.identity = self.log = None

    async def start(self):
        self.node = await Node.start(node__server_id=self.server_id,
                                     environment={"WSROUTER_REDIS_URL": self.redis}, **self.keys)
        self.log = asyncio.create_task(self.read_log())
        _, health = await self.node.http("/healthz/ws")
        self.identity = f"{self.server_id}.{json.loads(health)['incarnation']}"

    async def read_log(self):
        async for line in self.node.process.stderr:
            if b'"redis_down"' in line or b'"lease_lost"' in line:
                self.outages.append(time.time() * 1000)

    @property
    def up(self):
        return self.node is not None

    async def kill(self):
        """Returns when it had died, in ms."""
        node, self.node = self.node, None
        if node is None:
            return None
        node.process.send_signal(signal.SIGKILL)
        await node.process.wait()
        died = time.time() * 1000
        await self.log
        return died


class Clients:
    """What the load client says of its sessions."""

    def __init__(self):
        self.up = {}  # client -> connection
        self.seen = {}  # connection -> whether it was resumed
        self.losses = Counter()
        self.gone = asyncio.Event()

    def line(self, line):
        word, *rest = line.split(" ")
        if word == "up":
            client, connection, resumed, _ = rest
            self.up[client] = connection
            self.seen[connection] = resumed == "1"
        elif word == "down":
            self.up.pop(rest[0], None)
            self.losses[rest[2]] += 1
        elif word == "gone":
            self.gone.set()
