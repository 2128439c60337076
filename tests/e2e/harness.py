"""Starts the built program and talks to it: WebSocket by python3-websockets, gRPC by grpcurl.

Nothing here sleeps: whatever takes time is awaited, at most PATIENCE seconds.
"""

import asyncio
import contextlib
import json
import os
import resource
import signal
import sys
import unittest
import urllib.error
import urllib.request

import websockets

PATIENCE = 30
WSROUTER = os.path.join(os.environ["WSROUTER_BUILD_DIR"], "wsrouter")
GRPCURL = os.environ.get("WSROUTER_GRPCURL", "")
SKIPPED = 77  # ctest counts this exit code as skipped

ANY_PORTS = {
    "gateway.listen": "127.0.0.1:0",
    "control.listen": "127.0.0.1:0",
    "admin.listen": "127.0.0.1:0",
    "drain.notice": "0",
    "limits.connects_per_address_rate": "0",  # all clients come from one address
}


async def within(awaitable, what):
    """The result, or a failure that says what did not come."""
    try:
        return await asyncio.wait_for(awaitable, PATIENCE)
    except asyncio.TimeoutError:
        raise AssertionError(f"{what}: nothing within {PATIENCE} s") from None


def clean_environment(**extra):
    """The environment without the WSROUTER_ variables of the tests, which would be refused."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("WSROUTER_")}
    return kept | extra


async def run_program(*arguments, **environment):
    """Runs wsrouter to its end. Returns the exit code, stdout, stderr."""
    process = await asyncio.create_subprocess_exec(
        WSROUTER, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=clean_environment(**environment))
    try:
        out, err = await within(process.communicate(), f"the end of wsrouter {arguments}")
    except AssertionError:
        process.kill()
        raise
    return process.returncode, out.decode(), err.decode()


def settings(keys):
    return [word for key, value in keys.items() for word in ("--set", f"{key}={value}")]


class Node:
    """A running wsrouter. `keys` are settings that override ANY_PORTS; `descriptors` is how many it
    may have."""

    def __init__(self, process):
        self.process = process
        self.lines = []  # log lines that were read
        self.gateway = self.control = self.admin = ""

    @classmethod
    async def start(cls, *arguments, environment=None, descriptors=None, **keys):
        keys = ANY_PORTS | {key.replace("__", "."): value for key, value in keys.items()}
        process = await asyncio.create_subprocess_exec(
            WSROUTER, *settings(keys), *arguments, stderr=asyncio.subprocess.PIPE,
            env=clean_environment(**(environment or {})),
            preexec_fn=descriptors and (lambda: resource.setrlimit(
                resource.RLIMIT_NOFILE, (descriptors, descriptors))))
        node = cls(process)
        try:
            listening = await node.log_line("listening")
        except AssertionError:
            await node.kill()
            raise
        node.gateway = listening["gateway"][0]
        node.control, node.admin = listening["control"], listening["admin"]
        return node

    async def log_line(self, event):
        """The next line of the log with this event."""
        async def read():
            while line := await self.process.stderr.readline():
                try:
                    self.lines.append(json.loads(line))
                except json.JSONDecodeError:
                    self.lines.append({"event": None, "text": line.decode()})
                if self.lines[-1]["event"] == event:
                    return self.lines[-1]
            raise AssertionError(f"the log ended without {event}: {self.lines}")
        return await within(read(), f"log line {event}")

    def send(self, number):
        self.process.send_signal(number)

    async def exit_code(self):
        """Reads the rest of the log, then the exit code."""
        async def end():
            async for line in self.process.stderr:
                with contextlib.suppress(json.JSONDecodeError):
                    self.lines.append(json.loads(line))
            return await self.process.wait()
        return await within(end(), "the end of the node")

    async def kill(self):
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGKILL)
        return await self.exit_code()

    def connect(self, path="/ws", **options):
        return websockets.connect(f"ws://{self.gateway}{path}", open_timeout=PATIENCE, **options)

    async def http(self, path, address=None):
        """Status and text of a GET, of the admin server unless told otherwise."""
        def get():
            try:
                with urllib.request.urlopen(f"http://{address or self.admin}{path}",
                                            timeout=PATIENCE) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, error.read().decode()
        return await asyncio.to_thread(get)

    async def grpcurl(self, *words, plaintext=True):
        """What grpcurl prints. A failed call raises CallFailed."""
        process = await asyncio.create_subprocess_exec(
            GRPCURL, *(["-plaintext"] if plaintext else []), "-format-error", *words,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        out, err = await within(process.communicate(), f"grpcurl {words}")
        if process.returncode != 0:
            raise CallFailed(err.decode())
        return out.decode()

    async def call(self, method, **request):
        """One unary call: the answer as a dictionary, with names as in the proto."""
        return json.loads(await self.grpcurl("-d", json.dumps(request), self.control,
                                             f"wsrouter.v1.{method}"))

    async def watch(self, **request):
        """A stream of Events.Watch that is live."""
        watch = Watch(await asyncio.create_subprocess_exec(
            GRPCURL, "-plaintext", "-d", json.dumps(request), self.control,
            "wsrouter.v1.Events/Watch",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL))
        await watch.event("EVENT_KIND_READY")
        return watch


class CallFailed(Exception):
    """A call answered with a status; `code` is its number, `reason` that of its ErrorInfo. Both are
    None where grpcurl had already failed to ask reflection for the method."""

    def __init__(self, text):
        super().__init__(text)
        status = json.loads(text) if text.startswith("{") else {"code": None}
        self.code = status["code"]
        self.reason = next((d["reason"] for d in status.get("details", []) if "reason" in d), None)


class Watch:
    """The events of one grpcurl process."""

    def __init__(self, process):
        self.process = process
        self.text = ""
        self.seen = []

    async def event(self, kind, **fields):
        """The next event of this kind whose fields have these values."""
        async def read():
            while True:
                event = (await self._next())["event"]
                self.seen.append(event)
                if event["kind"] == kind and fields.items() <= event.items():
                    return event
        return await within(read(), f"event {kind} {fields} behind {self.seen}")

    async def end(self):
        """Waits until the node ends the stream."""
        async def drain():
            while await self.process.stdout.read(65536):
                pass
            return await self.process.wait()
        return await within(drain(), "the end of the stream")

    async def close(self):
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
        await self.process.wait()

    async def _next(self):
        """grpcurl prints one JSON object after the other, each over several lines."""
        while True:
            self.text = self.text.lstrip()
            try:
                value, end = json.JSONDecoder().raw_decode(self.text)
            except json.JSONDecodeError:
                more = await self.process.stdout.read(65536)
                if not more:
                    raise AssertionError(f"the stream ended; seen: {self.seen}") from None
                self.text += more.decode()
                continue
            self.text = self.text[end:]
            return value


class NodeTestCase(unittest.IsolatedAsyncioTestCase):
    """Ends every node and stream that a test leaves behind."""

    async def start(self, *arguments, **keys):
        node = await Node.start(*arguments, **keys)
        self.addAsyncCleanup(node.kill)
        return node

    async def watch(self, node, **request):
        watch = await node.watch(**request)
        self.addAsyncCleanup(watch.close)
        return watch

    async def connect(self, node, path="/ws", **options):
        client = await node.connect(path, **options)
        self.addAsyncCleanup(client.close)
        return client

    async def assertReceives(self, client, message):
        self.assertEqual(await within(client.recv(), f"message {message!r}"), message)

    async def assertClosed(self, client, code):
        await within(client.wait_closed(), f"close {code}")
        self.assertEqual(client.close_code, code)


def main(needs_grpcurl=False):
    if needs_grpcurl and not os.access(GRPCURL, os.X_OK):
        print(f"skipped: these tests need grpcurl, and there is none at '{GRPCURL}'")
        sys.exit(SKIPPED)
    unittest.main()
