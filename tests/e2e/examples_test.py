"""The chat service of client/examples/, in each of its languages, through one scenario.

A language whose toolchain or packages are not there is skipped: nothing is downloaded here
(client/examples/install.sh does that).
"""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import unittest

from harness import SKIPPED, NodeTestCase, clean_environment, within

EXAMPLES = os.path.join(os.environ["WSROUTER_SOURCE_DIR"], "client", "examples")
BUILD = os.environ["WSROUTER_BUILD_DIR"]
MADE = os.path.join(BUILD, "examples")  # stubs and programs
OFFLINE = {"GOPROXY": "off", "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local"}


def needs(*programs):
    for program in programs:
        if not shutil.which(program):
            raise unittest.SkipTest(f"there is no {program}")


def run(*words, **environment):
    """What a command that must succeed prints."""
    done = subprocess.run(words, env=clean_environment(**environment), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: {done.stdout}")
    return done.stdout


def has(what, *words, **environment):
    """Skips where a command, which looks for `what`, fails."""
    try:
        run(*words, **environment)
    except AssertionError as error:
        raise unittest.SkipTest(f"no {what}: {str(error)[-300:]}") from None


def stubs(language):
    folder = os.path.join(MADE, language, "gen")
    run(os.path.join(EXAMPLES, "stubs.sh"), language, folder, **OFFLINE)
    return folder


# Each of these returns the command that starts the example, and what it needs in its environment.


def cpp():
    program = os.path.join(BUILD, "chat_example")
    if not os.path.exists(program):
        raise unittest.SkipTest("chat_example was not built")
    return [program], {}


def python():
    needs("protoc", "grpc_python_plugin")
    has("package grpc or protobuf", sys.executable, "-c", "import grpc, google.protobuf")
    return [sys.executable, f"{EXAMPLES}/python/chat.py"], {"PYTHONPATH": stubs("python")}


def node():
    needs("node")
    has("module of package.json", "node", "-e", "require('@grpc/grpc-js');"
        "require('@grpc/proto-loader')", NODE_PATH=f"{EXAMPLES}/node/node_modules")
    return ["node", f"{EXAMPLES}/node/chat.js"], {}


def go():
    needs("go", "protoc")
    for tool in "protoc-gen-go", "protoc-gen-go-grpc":
        has(f"module of {tool}", "go", "-C", f"{EXAMPLES}/go", "tool", "-n", tool, **OFFLINE)
    folder = os.path.dirname(stubs("go"))
    for file in "chat.go", "go.mod", "go.sum":
        shutil.copy(f"{EXAMPLES}/go/{file}", folder)
    has("module of go.mod", "go", "-C", folder, "list", "-deps", ".", **OFFLINE)
    run("go", "-C", folder, "build", "-o", "chat", ".", **OFFLINE)
    return [f"{folder}/chat"], {}


def php():
    needs("php", "protoc")
    has("extension curl or bcmath, or php-google-protobuf", "php", "-r",
        "exit(extension_loaded('curl') && extension_loaded('bcmath') && stream_resolve_include_path("
        "'Google/Protobuf/Internal/Message.php') ? 0 : 1);")
    path = run("php", "-r", "echo get_include_path();")
    return ["php", "-d", f"include_path={stubs('php')}:{path}", f"{EXAMPLES}/php/chat.php"], {}


def free_address():
    """An address that nobody listens on; few know of its host, so nobody takes it meanwhile."""
    with socket.socket() as probe:
        probe.bind(("127.0.77.1", 0))
        return "%s:%d" % probe.getsockname()


class ExamplesTest(NodeTestCase):
    skipped = {}

    async def launch(self, command, environment):
        """A running example, when it has said that it is ready, and that line."""
        process = await asyncio.create_subprocess_exec(
            *command, env=clean_environment(**environment),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)

        async def end():
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        self.addAsyncCleanup(end)
        line = (await within(process.stdout.readline(), f"a line of {command}")).decode().strip()
        if "answering at port" not in line and line != "attached":
            raise AssertionError(f"{command}: {line} {(await process.stdout.read(4096)).decode()}")
        return line

    async def start_both(self, language):
        """A node and the example that it asks."""
        command, environment = await asyncio.to_thread(language)
        control = free_address()
        keys = {"control__listen": control, "gateway__event_cookies": "session"}
        if language is php:
            started = await self.start(backend__routes="/chat attached", **keys)
            await self.launch([*command, control], environment)
            return started
        line = await self.launch([*command, "127.0.0.1:0", control], environment)
        return await self.start(backend__routes=f"/chat dns:///127.0.0.1:{line.split()[-1]}", **keys)

    async def enter(self, started, session):
        headers = {"Cookie": f"theme=dark; session={session}"} if session else {}
        return await self.connect(started, "/chat", extra_headers=headers)

    async def receives(self, client, **message):
        self.assertEqual(json.loads(await within(client.recv(), f"message {message}")), message)

    async def say(self, client, **message):
        await client.send(json.dumps(message))

    async def closed(self, client, code, reason=None):
        await self.assertClosed(client, code)
        if reason is not None:
            self.assertEqual(client.close_reason, reason)

    async def chat(self, started):
        for session in None, "", "nobody-session", "constructor":
            await self.closed(await self.enter(started, session), 4001, "log in first")
        await self.closed(await self.enter(started, "mallory-session"), 4003, "banned")

        alice = await self.enter(started, "alice-session")
        await self.receives(alice, type="welcome", you="alice")
        bob = await self.enter(started, "bob-session")
        await self.receives(bob, type="welcome", you="bob")
        for text in "hello", "", 'a "quoted" \\ <b>line</b>\n\u00e9\u4e16\U0001f600', "x" * 50_000:
            await self.say(bob, type="say", text=text)
            for client in alice, bob:
                await self.receives(client, **{"type": "said", "from": "bob", "text": text})

        # Whoever breaks the rules is closed, and the others hear of it.
        for nonsense in ("hello", "", "[1]", "null", '"say"', '{"type":5}', '{"type":"say"}',
                         '{"type":"say","text":7}', '{"type":"dance"}', b'{"type":"leave"}'):
            with self.subTest(nonsense=nonsense):
                second = await self.enter(started, "bob-session")
                await self.receives(second, type="welcome", you="bob")
                await second.send(nonsense)
                await self.closed(second, 1008)
                for client in alice, bob:
                    await self.receives(client, type="left", who="bob")

        # Alice hears nothing behind her leaving: what she quits with comes next.
        await self.say(alice, type="leave")
        await self.say(alice, type="say", text="from outside")
        await self.receives(bob, **{"type": "said", "from": "alice", "text": "from outside"})
        await self.say(alice, type="quit")
        await self.closed(alice, 4000, "bye")
        self.assertEqual(list(alice.messages), [])
        await self.receives(bob, type="left", who="alice")

    async def check(self, language):
        try:
            started = await self.start_both(language)
        except unittest.SkipTest as reason:
            self.skipped[language.__name__] = reason
            self.skipTest(str(reason))
        await self.chat(started)

    async def test_cpp(self):
        await self.check(cpp)

    async def test_python(self):
        await self.check(python)

    async def test_node(self):
        await self.check(node)

    async def test_go(self):
        await self.check(go)

    async def test_php(self):
        await self.check(php)

    def test_each_is_one_file_of_at_most_80_lines(self):
        for path in "cpp/chat.cc", "python/chat.py", "node/chat.js", "go/chat.go", "php/chat.php":
            with self.subTest(path=path), open(os.path.join(EXAMPLES, path)) as file:
                self.assertLessEqual(len(file.readlines()), 80)


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    for language, reason in ExamplesTest.skipped.items():
        print(f"skipped: {language}: {reason}")
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIPPED if len(ExamplesTest.skipped) == 5 else 0)
