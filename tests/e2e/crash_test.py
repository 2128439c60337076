"""Nodes are killed with SIGKILL at random moments and started again, and so are consumers of the event
log, while thousands of clients come, go and come back: what the log tells has happened, once each.

    crash_test.py [--seconds N] [--sessions N] [--seed N]
"""

import argparse
import asyncio
import contextlib
import os
import random
import secrets
import shutil
import sys
import tempfile
import time
from collections import Counter

from cluster_test import Redis
from crash_log import GroupLog, Lives
from crash_processes import Child, Clients, Place
from harness import CallFailed, NodeTestCase, main, within

LEASE = 3
GRACE = 5
DELIVERIES_MAX = 5
ROOMS = [f"room{number}" for number in range(40)]
OPTIONS = argparse.Namespace(seconds=12, sessions=2000, seed=None)


class CrashTest(NodeTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # which costs more than all the rest
        folder = tempfile.mkdtemp(prefix="wsr")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.redis = Redis(folder)
        await self.redis.start()
        self.addAsyncCleanup(self.redis.kill)
        secret = os.path.join(folder, "secret")
        with open(secret, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
        self.seed = OPTIONS.seed or secrets.randbelow(1 << 30)
        print(f"seed {self.seed}", file=sys.stderr)
        self.random = random.Random(self.seed)
        self.deaths = {}  # <server_id>.<incarnation> -> when, in ms
        self.kills = Counter()
        await self.start_nodes(f"redis+unix://{self.redis.socket}", secret)
        await self.start_consumers()
        self.clients = Clients()
        self.load = await Child.start(self.clients.line, "session_load", str(OPTIONS.sessions),
                                      secret, "0.7", str(self.seed), *ROOMS)
        self.addAsyncCleanup(self.load.kill)
        self.tell_nodes()

    async def start_nodes(self, redis, secret):
        keys = {
            "redis.lease": f"{LEASE}s", "redis.heartbeat": "500ms",
            "redis.gc_interval": "500ms", "events.log": "true", "events.entries_max": "10000000",
            "auth.issuers": f"https://load.example HS256 {secret}", "auth.token_query": "token",
            "gateway.resume_window": "4s",
            "limits.connections_per_address": "0",
        }
        self.outages = []
        self.places = [Place(f"gw-{n}", redis, keys, self.outages) for n in (1, 2, 3, 4)]
        for place in self.places:
            await place.start()
            self.addAsyncCleanup(place.kill)

    async def start_consumers(self):
        """Three groups: one whose consumer is never killed, one whose consumers are, and one that
        cannot handle some of the entries."""
        self.logs = {name: GroupLog(name) for name in ("whole", "killed", "poisoned")}
        self.consumers = {}
        for name in ("whole", "killed1", "killed2", "killed3", "poisoned1", "poisoned2"):
            await self.start_consumer(name)
        self.addAsyncCleanup(self.end_consumers)

    async def start_consumer(self, name):
        group = name.rstrip("123")
        more = {"whole": ["1000"], "killed": ["200"], "poisoned": ["10000", "poisoned"]}[group]
        self.consumers[name] = await Child.start(self.logs[group].line, "log_consumer", group, *more)
        self.turn(name)

    def turn(self, name):
        """To a node that is up."""
        place = self.random.choice([place for place in self.places if place.up])
        self.consumers[name].place = place
        self.consumers[name].tell(place.node.control)

    async def end_consumers(self):
        for consumer in self.consumers.values():
            await consumer.kill()

    def tell_nodes(self):
        self.load.tell(" ".join(["nodes"] + [p.node.gateway for p in self.places if p.up]))

    async def eventually(self, holds, what, patience=60):
        """What other processes bring about, as long as they get on. Who asks may ask at a bad
        moment."""
        seen, limit = None, 0
        while True:
            with contextlib.suppress(CallFailed):
                if result := await holds():
                    return result
            if seen != (now := self.progress()):
                seen, limit = now, time.monotonic() + patience
            if time.monotonic() > limit:
                self.fail(f"{what}: nothing new within {patience} s; {now}; {await self.groups()}")
            await asyncio.sleep(0.1)

    def progress(self):
        """What tells of others getting on: entries by group, and clients that are up."""
        return {name: sum(log.times.values()) for name, log in self.logs.items()} | {
            "up": len(self.clients.up)}

    async def kill_node(self):
        place = self.random.choice(self.places)
        others = [other for other in self.places if other is not place]
        if not place.up or not all(other.up for other in others):
            return
        identity = place.identity
        self.deaths[identity] = await place.kill()
        self.kills["nodes"] += 1
        self.tell_nodes()
        for name, consumer in self.consumers.items():
            if consumer.place is place:
                self.turn(name)
        await asyncio.sleep(self.random.uniform(0, 1.5))
        await place.start()
        self.tell_nodes()

    async def kill_consumer(self):
        name = self.random.choice(["killed1", "killed2", "killed3"])
        await self.consumers[name].kill()
        self.kills["consumers"] += 1
        await asyncio.sleep(self.random.uniform(0, 0.5))
        await self.start_consumer(name)

    async def make_trouble(self):
        """Kills of both kinds, side by side, for as long as was asked for."""
        limit = time.monotonic() + OPTIONS.seconds

        async def again_and_again(kill, most):
            while time.monotonic() < limit:
                await asyncio.sleep(self.random.uniform(0, most))
                await kill()
        await asyncio.gather(again_and_again(self.kill_node, 3), again_and_again(self.kill_consumer, 1.5))

    async def groups(self):
        answer = await self.places[0].node.call("Events/ConsumerGroups")
        return {group["group"]: group for group in answer["groups"]}

    async def all_is_settled(self):
        groups = await self.groups()
        return all(int(group.get("lag", 0)) + int(group.get("pending", 0)) == 0
                   for group in groups.values())

    async def dead_letters(self, group):
        letters, cursor = {}, ""
        while True:
            page = await self.places[0].node.call("Events/DeadLetters", group=group, count=1000,
                                                  cursor=cursor)
            for letter in page.get("letters", []):
                letters[letter["entry"]["id"]] = letter
            cursor = page.get("next_cursor", "")
            if not cursor:
                return letters

    async def everybody_is_up(self):
        return len(self.clients.up) >= OPTIONS.sessions * 0.99

    async def everything_has_ended(self):
        if not await self.all_is_settled():
            return None
        lives = Lives(self.logs["whole"].in_order())
        return None if lives.open() else lives

    async def nobody_is_counted(self):
        return (await self.places[0].node.call("Router/OnlineCount")).get("connections", "0") == "0"

    async def test_what_begins_ends_once_whoever_is_killed(self):
        await self.eventually(self.everybody_is_up, "the clients")
        self.load.tell(f"acts {OPTIONS.sessions / 20}")
        await self.make_trouble()
        await self.eventually(self.everybody_is_up, "the clients' return")
        self.load.tell("close")
        await within(self.clients.gone.wait(), "the end of the clients")
        await self.eventually(self.nobody_is_counted, "the end of all connections")
        lives = await self.eventually(self.everything_has_ended, "the end of what began")
        self.check_lives(lives)
        await self.check_groups()
        self.report(lives)

    def check_lives(self, lives):
        self.assertEqual(lives.wrong[:5], [])
        self.assertEqual(self.logs["whole"].out_of_order()[:5], [])
        for connection, resumed in self.clients.seen.items():
            self.assertIn(connection, lives.opened)
            self.assertEqual(lives.opened[connection].kind == "RESUMED", resumed, connection)
        self.delays, self.late = [], 0
        for node, died in self.deaths.items():
            delays = lives.ends_after(node, died)
            self.delays += delays
            late = max(delays, default=0)
            if late <= (LEASE + GRACE) * 1000:
                continue
            # Who has lost Redis on a machine that is too busy collects nothing for a lease.
            self.late += 1
            self.assertTrue(any(died <= outage <= died + late for outage in self.outages),
                            f"{node}: {late} ms after its death, without an outage")

    async def check_groups(self):
        whole = self.logs["whole"].entries
        for name, log in self.logs.items():
            self.assertEqual(log.lost, 0, name)
            letters = await self.dead_letters(name)
            self.assertEqual(whole.keys() - log.entries.keys() - letters.keys(), set(), name)
            self.assertEqual(log.entries.keys() - whole.keys(), set(), name)
            for letter in letters.values():
                self.assertEqual(letter["deliveries"], DELIVERIES_MAX)
        poison = {entry.id for entry in whole.values()
                  if entry.kind == "CONNECTED" and int(entry.client[1:]) % 50 in (7, 13)}
        letters = await self.dead_letters("poisoned")
        self.assertEqual(poison - letters.keys(), set())
        self.assertGreater(len(poison), 0)
        self.assertLessEqual(max(self.logs["poisoned"].times[i] for i in poison), DELIVERIES_MAX)
        self.poison, self.letters = len(poison), len(letters)

    def report(self, lives):
        kinds = Counter(entry.kind for entry in lives.opened.values())
        causes = Counter(entry.cause if entry.kind != "RESUMED" else "RESUMED"
                         for entry in lives.ended.values())
        again = sum(times - 1 for times in self.logs["killed"].times.values())
        self.delays.sort()
        print(f"killed {dict(self.kills)}; connections {dict(kinds)}, ended {dict(causes)}, "
              f"began anew {lives.again}, lost {dict(self.clients.losses)}; entries {len(self.logs['whole'].entries)}; "
              f"ended behind a node's death {len(self.delays)}, at most "
              f"{max(self.delays, default=0) / 1000:.1f} s later, {self.late} late behind "
              f"{len(self.outages)} losses of Redis; came again to killed consumers "
              f"{again}; poisoned {self.poison}, dead letters of that group {self.letters}",
              file=sys.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for option, value in vars(OPTIONS).items():
        parser.add_argument(f"--{option}", type=int, default=value)
    OPTIONS, sys.argv[1:] = parser.parse_known_args()
    main(needs_grpcurl=True)
