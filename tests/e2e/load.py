"""Clients, pushes and a service by the thousand: the programs load_clients, load_pusher and
load_service, and what Redis has of a node."""

import asyncio
import json
import os

from harness import within

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

    SUMS = ("up", "resumed", "broken", "pushes", "lost", "missed", "twice", "other")
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
