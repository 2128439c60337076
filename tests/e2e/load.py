"""Clients, pushes and a service by the thousand: the programs load_clients, load_pusher and
load_service, what they and Redis say of nodes, and a test case that has them."""

import asyncio
import json
import os
import secrets
import shutil
import sys
import tempfile
import time

from cluster_test import Redis
from harness import NodeTestCase, within

FULL = "--full" in sys.argv
ISSUER = "https://load.example"
OPEN = {"limits__connections_per_address": "0"}  # all clients come from one address
# On a machine that is busy with other tests a node is late, and is not to turn clients away for it.
PATIENT = {} if FULL else {"limits__loop_lag_max": "0"}

FOLDER = os.path.join(os.environ["WSROUTER_BUILD_DIR"], "tests")
TICKS = os.sysconf("SC_CLK_TCK")

# The keys that name the node ARGV[1], but those of sessions, which outlive it.
KEYS_OF = """
local found = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  local kind, text = redis.call('TYPE', key).ok, key
  if kind == 'hash' then text = key .. table.concat(redis.call('HGETALL', key), ' ') end
  if kind == 'set' then text = key .. table.concat(redis.call('SMEMBERS', key), ' ') end
  if kind == 'zset' then text = key .. table.concat(redis.call('ZRANGE', key, 0, -1), ' ') end
  if kind == 'string' then text = key .. redis.call('GET', key) end
  if string.find(text, ARGV[1], 1, true) and not string.find(key, ':sessions:', 1, true) then
    found[#found + 1] = key
  end
end
return found
"""


async def keys_of(redis, server_id):
    process = await asyncio.create_subprocess_exec(
        "redis-cli", "-s", redis.socket, "eval", KEYS_OF, "0", server_id + ".",
        stdout=asyncio.subprocess.PIPE)
    out, _ = await within(process.communicate(), "redis-cli")
    return out.decode().split()


def cpu_seconds(node):
    """Of user and system, all threads of the node."""
    with open(f"/proc/{node.process.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Program:
    """A process that answers each line with a line of JSON."""

    def __init__(self, process):
        self.process = process

    @classmethod
    async def start(cls, name, *words, **options):
        return cls(await asyncio.create_subprocess_exec(
            os.path.join(FOLDER, name), *words, *(f"{key}={value}" for key, value in options.items()),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 20))

    async def answer(self):
        return json.loads(await within(self.process.stdout.readline(), "an answer"))

    async def ask(self, *words):
        self.process.stdin.write((" ".join(map(str, words)) + "\n").encode())
        return await self.answer()

    async def end(self):
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


class Account:
    """What several load_clients report, since `read` was called last."""

    SUMS = ("up", "resumed", "broken", "pushes", "kept", "lost", "missed", "twice", "other")
    COUNTS = ("refused", "closes")
    BUSIEST = ("ups_busiest_second", "closes_busiest_second")
    TIMES = ("opening_ms", "away_ms", "delay_us")

    def __init__(self, *programs):
        self.programs = programs

    async def now(self, key):
        """"up": clients that are up; "came": how often one has come, in all."""
        return sum([(await program.ask("now"))[key] for program in self.programs])

    async def read(self):
        reports = [await program.ask("report") for program in self.programs]
        total = {key: sum(report[key] for report in reports) for key in self.SUMS + self.BUSIEST}
        for key in self.COUNTS:
            total[key] = {}
            for report in reports:
                for name, count in report[key].items():
                    total[key][name] = total[key].get(name, 0) + count
        total["holes"] = [hole for report in reports for hole in report["holes"]]
        for key in ("ups_seconds", "closes_seconds"):
            total[key] = max(report[key] for report in reports)
        for key in self.TIMES:  # the worst of the processes
            known = [report[key] for report in reports if report[key]]
            total[key] = {name: max(times[name] for times in known)
                          for name in ("p50", "p99", "max")} if known else None
        return total


def print_figures(what, **figures):
    print(f"{what}: {json.dumps(figures)}", flush=True)


class LoadTestCase(NodeTestCase):
    async def asyncSetUp(self):
        self.folder = tempfile.mkdtemp(prefix="wsr")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    async def start_redis(self):
        redis = Redis(self.folder)
        await redis.start()
        self.addAsyncCleanup(redis.kill)
        return redis

    def secret(self):
        path = os.path.join(self.folder, "secret")
        with open(path, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        return path

    async def program(self, name, *words, **options):
        program = await Program.start(name, *words, **options)
        self.addAsyncCleanup(program.end)
        return program

    async def start_node(self, server_id, redis, **keys):
        node = await self.start(
            node__server_id=server_id, node__shards="2", **OPEN, **PATIENT, **keys,
            environment={"WSROUTER_REDIS_URL": f"redis+unix://{redis.socket}"})
        await self.eventually("the node is ready", self.ready, node)
        return node

    async def ready(self, node):
        return (await node.http("/readyz"))[0] == 200

    async def eventually(self, what, condition, *arguments, patience=120 if FULL else 60):
        """Asks again and again: other processes make it so without telling."""
        begin = time.monotonic()
        while not await condition(*arguments):
            self.assertLess(time.monotonic() - begin, patience, what)
            await asyncio.sleep(0.01)
        return time.monotonic() - begin

    async def all_up(self, account, count, came=0):
        """When one has come so often in all."""
        async def are():
            return await account.now("up") == count and await account.now("came") >= came
        try:
            return await self.eventually("", are)
        except AssertionError:
            self.fail(f"{count} clients are not up: {await account.now('up')} are, "
                      f"and saw {await account.read()}")

    def expect_nothing_lost(self, seen):
        self.assertEqual({key: seen[key] for key in ("holes", "lost", "twice", "refused")},
                         {"holes": [], "lost": 0, "twice": 0, "refused": {}})


class Pushes:
    """A load_pusher, and what it has pushed in all."""

    def __init__(self, program):
        self.program = program
        self.pushed = self.queued = self.partial = 0
        self.failed = {}
        self.unsure = []  # of which nobody knows

    async def read(self):
        report = await self.program.ask("report")
        self.pushed += report["pushed"]
        self.queued += report["queued"]
        self.partial += report["partial"]
        self.unsure += report["unsure"]
        for code, count in report["failed"].items():
            self.failed[code] = self.failed.get(code, 0) + count
        return report

    async def idle(self):
        return (await self.read())["idle"]

    async def has_pushed(self, count):
        await self.read()
        return self.pushed >= count
