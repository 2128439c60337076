"""Three nodes around one Redis as processes: what is called at one concerns all, and what becomes of
the others when a node is killed or Redis is."""

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile

import websockets

from harness import CallFailed, NodeTestCase, main, within

UNAVAILABLE = 14
LEASE = 1
QUICK = {"redis__heartbeat": "200ms", "redis__lease": f"{LEASE}s", "redis__gc_interval": "300ms"}


class Redis:
    """A private server; `folder` must be short, since it holds the socket."""

    def __init__(self, folder):
        self.folder = folder
        self.socket = os.path.join(folder, "redis.sock")
        self.process = None

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(
            "redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.folder,
            "--save", "", "--appendonly", "no",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)

        async def accepting():
            async for line in self.process.stdout:
                if b"ready to accept connections" in line.lower():
                    return
            raise AssertionError("redis-server ended")
        await within(accepting(), "redis-server")

    async def kill(self):
        if self.process.returncode is None:
            self.process.kill()
        await self.process.communicate()


class PushLoad:
    """Pushes to the lobby through a node, one after the other: `<name>0`, `<name>1`..."""

    def __init__(self, node, name):
        self.name = name
        self.count = 0  # of those that were answered
        self.stopping = False
        self.changed = asyncio.Condition()
        self.task = asyncio.create_task(self.push(node))

    async def push(self, node):
        while not self.stopping:
            await node.call("Router/Push", room="lobby", payload={"text": f"{self.name}{self.count}"},
                            options={"wait": "WAIT_ROUTED"})
            self.count += 1
            async with self.changed:
                self.changed.notify_all()

    async def answered(self, more):
        """Until so many more are; a push that failed fails this."""
        wanted = self.count + more

        async def reached():
            async with self.changed:
                await self.changed.wait_for(lambda: self.count >= wanted)
        waiting = asyncio.create_task(within(reached(), f"{wanted} pushes"))
        await asyncio.wait((waiting, self.task), return_when=asyncio.FIRST_COMPLETED)
        if self.task.done():
            waiting.cancel()
            self.task.result()
        await waiting

    async def stop(self):
        self.stopping = True
        await self.task


class ClusterTest(NodeTestCase):
    async def asyncSetUp(self):
        folder = tempfile.mkdtemp(prefix="wsr")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.redis = Redis(folder)
        await self.redis.start()
        self.addAsyncCleanup(self.redis.kill)
        self.nodes = [await self.start_node(f"gw-{n}") for n in (1, 2, 3)]

    async def start_node(self, server_id):
        node = await self.start(node__server_id=server_id,
                                environment={"WSROUTER_REDIS_URL": f"redis+unix://{self.redis.socket}"},
                                **QUICK)
        await self.eventually(self.ready, node)
        return node

    async def ready(self, node):
        return (await node.http("/readyz"))[0] == 200

    async def eventually(self, condition, *arguments):
        """Asks again and again: other processes make it so without telling."""
        async def holds():
            while not await condition(*arguments):
                pass
        await within(holds(), f"{condition.__name__} {arguments[1:]}")

    async def owned(self, at, by, client_id, room):
        """A client of the node `at` that the node `by` was told about."""
        events = await self.watch(at)
        client = await self.connect(at)
        connection_id = (await events.event("EVENT_KIND_CONNECTED"))["connection_id"]
        await by.call("Router/Own", connection_id=connection_id, client_id=client_id, rooms=[room])
        return client, connection_id

    async def members_are(self, node, *names):
        try:
            answer = await node.call("Router/Members", room="lobby")
        except CallFailed as failure:
            self.assertEqual(failure.code, UNAVAILABLE)
            return False
        return [member["client_id"] for member in answer.get("members", [])] == list(names)

    async def test_every_node_answers_for_all(self):
        one, two, three = self.nodes
        alice, alice_id = await self.owned(one, two, "alice", "lobby")
        bob, _ = await self.owned(two, three, "bob", "lobby")
        pushed = await three.call("Router/Push", room="lobby", payload={"text": "hello"},
                                  options={"wait": "WAIT_ROUTED"})
        self.assertEqual(pushed["rooms"][0]["outcome"]["queued"], "2")
        self.assertEqual(pushed["rooms"][0]["outcome"]["nodes"], 2)
        await self.assertReceives(alice, "hello")
        await self.assertReceives(bob, "hello")
        sent = await three.call("Router/SendToClient", client_id="alice", payload={"text": "you"})
        self.assertEqual(sent["delivered"], "1")
        await self.assertReceives(alice, "you")
        servers = (await two.call("Router/OnlineByServer"))["servers"]
        self.assertEqual([(s["server_id"], s.get("connections", "0")) for s in servers],
                         [("gw-1", "1"), ("gw-2", "1"), ("gw-3", "0")])
        await three.call("Router/Disconnect", connection_id=alice_id, code=4021)
        await self.assertClosed(alice, 4021)
        await self.eventually(self.members_are, two, "bob")

    async def test_a_killed_node_is_cleaned_up_behind_and_its_client_comes_back_elsewhere(self):
        one, two, three = self.nodes
        await self.owned(one, one, "alice", "lobby")
        bob, _ = await self.owned(two, two, "bob", "lobby")
        await one.kill()
        again, _ = await self.owned(three, three, "alice", "lobby")
        await self.eventually(self.members_are, two, "alice", "bob")
        online = await two.call("Router/OnlineCount")
        await self.eventually(self.online_is, two, "2")
        self.assertIn(online["clients"], ("2", "3"))
        await two.call("Router/Push", room="lobby", payload={"text": "both"})
        await self.assertReceives(again, "both")
        await self.assertReceives(bob, "both")

    async def test_kill_9_under_load_harms_no_delivery_and_its_client_is_owned_elsewhere_at_once(self):
        one, two, three = self.nodes
        texts = {}  # by client: all that it gets
        readers = []

        async def come(at, name):
            client, _ = await self.owned(at, at, name, "lobby")
            texts[name] = []
            readers.append(asyncio.create_task(self.read(client, texts[name])))
        for number, node in enumerate(self.nodes, start=1):
            for seat in "abc":
                await come(node, f"{number}{seat}")
        loads = [PushLoad(two, "p"), PushLoad(two, "q"), PushLoad(three, "r")]
        for load in loads:
            self.addAsyncCleanup(load.stop)
            await load.answered(10)
        before = asyncio.get_running_loop().time()
        await one.kill()
        await come(three, "1a-again")
        first = [load.count + 1 for load in loads]  # the one that is under way came too early
        await self.eventually(self.nodes_are, two, "gw-2", "gw-3")
        self.assertLess(asyncio.get_running_loop().time() - before, LEASE + 5)
        for load in loads:
            await load.answered(10)
            await load.stop()
        await self.eventually(self.members_are, two, "1a-again", *(n + s for n in "23" for s in "abc"))
        await two.call("Router/Push", room="lobby", payload={"text": "end"})
        await within(asyncio.gather(*readers), "the end")
        for load, since in zip(loads, first):
            pushed = [f"{load.name}{number}" for number in range(load.count)]
            for name in (n + s for n in "23" for s in "abc"):
                self.assertEqual([t for t in texts[name] if t.startswith(load.name)], pushed, name)
            got = [t for t in texts["1a-again"] if t.startswith(load.name)]
            self.assertEqual(got, pushed[len(pushed) - len(got):])
            self.assertGreaterEqual(len(got), len(pushed) - since)

    async def read(self, client, texts):
        """Until the end, or until its node ends."""
        with contextlib.suppress(websockets.ConnectionClosed):
            while (text := await client.recv()) != "end":
                texts.append(text)

    async def nodes_are(self, node, *server_ids):
        servers = (await node.call("Router/OnlineByServer"))["servers"]
        return [server["server_id"] for server in servers] == list(server_ids)

    async def drains(self, at, server_id, draining):
        nodes = (await at.call("Admin/Nodes"))["nodes"]
        return [n.get("draining", False) for n in nodes if n["server_id"] == server_id] == [draining]

    async def test_all_nodes_see_which_one_drains(self):
        one, two, _ = self.nodes
        await one.call("Admin/Drain")
        self.assertTrue(await self.drains(one, "gw-1", True))
        await self.eventually(self.drains, two, "gw-1", True)
        self.assertTrue(await self.drains(two, "gw-2", False))
        await one.call("Admin/Undrain")
        await self.eventually(self.drains, two, "gw-1", False)

    async def online_is(self, node, connections):
        return (await node.call("Router/OnlineCount")).get("connections") == connections

    async def test_redis_killed_and_started_empty_costs_no_client(self):
        one, two, _ = self.nodes
        alice, _ = await self.owned(one, one, "alice", "lobby")
        bob, _ = await self.owned(two, two, "bob", "lobby")
        await self.redis.kill()
        await self.eventually(self.redis_up_is, one, "0")
        pushed = await one.call("Router/Push", room="lobby", payload={"text": "here"})
        self.assertTrue(pushed["rooms"][0]["outcome"]["partial"])
        await self.assertReceives(alice, "here")
        self.assertEqual((await one.http("/readyz"))[0], 200)
        await self.redis.start()
        await self.eventually(self.redis_up_is, one, "1")
        await self.eventually(self.members_are, one, "alice", "bob")
        await self.eventually(self.redis_up_is, two, "1")
        await one.call("Router/Push", room="lobby", payload={"text": "all"})
        await self.assertReceives(alice, "all")
        await self.assertReceives(bob, "all")

    async def redis_up_is(self, node, value):
        return f"wsrouter_redis_up {value}\n" in (await node.http("/metrics"))[1]

    async def test_a_paused_node_is_taken_for_dead_and_writes_its_clients_again(self):
        one, two, _ = self.nodes
        alice, _ = await self.owned(one, one, "alice", "lobby")
        one.send(signal.SIGSTOP)
        await self.eventually(self.members_are, two)
        one.send(signal.SIGCONT)
        await self.eventually(self.members_are, two, "alice")
        await self.eventually(self.redis_up_is, one, "1")
        await two.call("Router/Push", room="lobby", payload={"text": "back"})
        await self.assertReceives(alice, "back")

    async def test_a_stopped_node_leaves_nothing_behind(self):
        one, two, _ = self.nodes
        alice, _ = await self.owned(one, one, "alice", "lobby")
        one.send(signal.SIGTERM)
        await self.assertClosed(alice, 1012)
        self.assertEqual(await one.exit_code(), 0)
        self.assertTrue(await self.members_are(two))
        servers = (await two.call("Router/OnlineByServer"))["servers"]
        self.assertEqual([server["server_id"] for server in servers], ["gw-2", "gw-3"])


if __name__ == "__main__":
    main(needs_grpcurl=True)
