"""The main job with tools not our own: grpcurl is the service, python3-websockets the client."""

import base64
import datetime
import signal
import tempfile

import websockets

from harness import CallFailed, NodeTestCase, main

NOT_FOUND = 5


async def connected(node, watch, test, path="/ws", **options):
    """A client, and the id under which the watcher saw it come."""
    client = await test.connect(node, path, **options)
    return client, (await watch.event("EVENT_KIND_CONNECTED"))["connection_id"]


class ReflectionTest(NodeTestCase):
    async def test_services_are_listed_and_described(self):
        node = await self.start()
        services = (await node.grpcurl(node.control, "list")).split()
        for service in ("grpc.health.v1.Health", "wsrouter.v1.Admin", "wsrouter.v1.Events",
                        "wsrouter.v1.Router"):
            self.assertIn(service, services)
        described = await node.grpcurl(node.control, "describe", "wsrouter.v1.Router.Push")
        self.assertIn("rpc Push ( .wsrouter.v1.PushRequest )", described)

    async def test_health_says_serving(self):
        node = await self.start()
        for service in ("", "readiness", "liveness", "wsrouter.v1.Router"):
            answer = await node.grpcurl("-d", f'{{"service":"{service}"}}', node.control,
                                        "grpc.health.v1.Health/Check")
            self.assertIn('"status": "SERVING"', answer)


class RoutingTest(NodeTestCase):
    async def asyncSetUp(self):
        self.node = await self.start(gateway__event_headers="user-agent",
                                     gateway__event_cookies="session")
        self.events = await self.watch(self.node, include_messages=True)

    async def owned(self, client_id, **request):
        client, connection_id = await connected(self.node, self.events, self)
        await self.node.call("Router/Own", connection_id=connection_id, client_id=client_id,
                             **request)
        return client, connection_id

    async def test_connected_shows_the_handshake(self):
        await self.connect(self.node, "/ws?token=abc", extra_headers={
            "Cookie": "session=s1; other=o1", "User-Agent": "e2e", "X-Secret": "x"})
        shown = (await self.events.event("EVENT_KIND_CONNECTED"))["connected"]
        self.assertEqual(shown["path"], "/ws")
        self.assertEqual(shown["query"], "token=abc")
        self.assertEqual(shown["headers"], {"user-agent": "e2e"})
        self.assertEqual(shown["cookies"], {"session": "s1"})
        self.assertRegex(shown["peer"], r"^127\.0\.0\.1:[0-9]+$")

    async def test_own_join_push_reaches_the_room_unchanged(self):
        client, connection_id = await connected(self.node, self.events, self)
        await self.node.call("Router/Own", connection_id=connection_id, client_id="alice")
        await self.events.event("EVENT_KIND_OWNED", connection_id=connection_id, client_id="alice")
        joined = await self.node.call("Router/Join", client_id="alice", rooms=["lobby:1"])
        self.assertEqual(joined["rooms"][0]["room"], "lobby:1")
        await self.events.event("EVENT_KIND_JOINED", client_id="alice")
        pushed = await self.node.call("Router/Push", room="lobby:1",
                                      payload={"text": "gr\u00fc\u00df \U0001f600"})
        self.assertEqual(pushed["rooms"][0]["outcome"]["queued"], "1")
        await self.assertReceives(client, "gr\u00fc\u00df \U0001f600")
        octets = bytes(range(256))
        await self.node.call("Router/Push", room="lobby:1",
                             payload={"binary": base64.b64encode(octets).decode()})
        await self.assertReceives(client, octets)

    async def test_push_reaches_members_only_and_respects_exceptions(self):
        alice, _ = await self.owned("alice", rooms=["r"])
        bob, _ = await self.owned("bob", rooms=["r"])
        carol, _ = await self.owned("carol")
        await self.node.call("Router/Push", room="r", payload={"text": "not for bob"},
                             except_client_ids=["bob"])
        await self.node.call("Router/PushAll", payload={"text": "for all"})
        await self.assertReceives(alice, "not for bob")
        for client in (alice, bob, carol):
            await self.assertReceives(client, "for all")

    async def test_send_to_client_reaches_every_connection_of_it(self):
        first, _ = await self.owned("alice")
        second, _ = await self.owned("alice")
        answer = await self.node.call("Router/SendToClient", client_id="alice",
                                      payload={"text": "hi"})
        self.assertEqual(answer["delivered"], "2")
        await self.assertReceives(first, "hi")
        await self.assertReceives(second, "hi")
        answer = await self.node.call("Router/SendToClient", client_id="nobody",
                                      payload={"text": "hi"})
        self.assertTrue(answer["owner_missing"])

    async def test_a_message_comes_with_the_bound_identity(self):
        client, connection_id = await self.owned("alice", rooms=["r"])
        await client.send('{"client_id":"mallory"}')
        event = await self.events.event("EVENT_KIND_MESSAGE")
        self.assertEqual((event["client_id"], event["connection_id"]), ("alice", connection_id))
        self.assertEqual(event["message"]["payload"], {"text": '{"client_id":"mallory"}'})
        await client.send(b"\x00\xff")
        event = await self.events.event("EVENT_KIND_MESSAGE")
        self.assertEqual(event["message"]["payload"], {"binary": "AP8="})

    async def test_members_and_stats_show_what_is(self):
        await self.owned("alice", rooms=["r"])
        await self.owned("bob", rooms=["r"])
        members = await self.node.call("Router/Members", room="r")
        self.assertEqual([member["client_id"] for member in members["members"]], ["alice", "bob"])
        stats = await self.node.call("Admin/Stats")
        self.assertEqual(stats["counters"]["owns_total"], "2")
        self.assertEqual(stats["counters"]["room_joins_total"], "2")
        self.assertIn("sendToClient_owner_missing", stats["counters"])
        self.assertEqual(stats["gauges"]["connections"], 2)

    async def test_a_client_that_leaves_is_gone_everywhere(self):
        client, connection_id = await self.owned("alice", rooms=["r"])
        await client.close(1000)
        event = await self.events.event("EVENT_KIND_DISCONNECTED", connection_id=connection_id)
        self.assertEqual(event["client_id"], "alice")
        self.assertEqual(await self.node.call("Router/IsMember", room="r", client_id="alice"), {})
        with self.assertRaises(CallFailed) as failed:
            await self.node.call("Router/Own", connection_id=connection_id, client_id="alice")
        self.assertEqual((failed.exception.code, failed.exception.reason),
                         (NOT_FOUND, "CONNECTION_GONE"))

    async def test_an_identity_that_expires_closes_4002(self):
        expires_at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
        client, _ = await self.owned("alice", expires_at=expires_at.isoformat())
        await self.assertClosed(client, 4002)

    async def test_disconnect_closes_as_the_service_says(self):
        client, _ = await self.owned("alice")
        await self.node.call("Router/Disconnect", client_id="alice", code=4999, reason="bye")
        await self.assertClosed(client, 4999)
        self.assertEqual(client.close_reason, "bye")
        client, _ = await self.owned("alice")
        await self.node.call("Router/Disconnect", client_id="alice")
        await self.assertClosed(client, 4021)

    async def test_replace_closes_the_older_connection_4020(self):
        older, older_id = await self.owned("alice")
        newer, newer_id = await connected(self.node, self.events, self)
        answer = await self.node.call("Router/Own", connection_id=newer_id, client_id="alice",
                                      on_duplicate="ON_DUPLICATE_REPLACE")
        self.assertEqual(answer["displaced_connection_ids"], [older_id])
        await self.assertClosed(older, 4020)
        await self.node.call("Router/SendToClient", client_id="alice", payload={"text": "still"})
        await self.assertReceives(newer, "still")

    async def test_a_watcher_that_comes_late_is_shown_who_waits(self):
        _, connection_id = await connected(self.node, self.events, self)
        late = await self.watch(self.node, include_pending=True)
        self.assertEqual([event["connection_id"] for event in late.seen
                          if event["kind"] == "EVENT_KIND_CONNECTED"], [connection_id])

    async def test_get_config_shows_every_section(self):
        yaml = (await self.node.call("Admin/GetConfig"))["yaml"]
        for section in ("node", "gateway", "control", "admin", "redis", "limits", "drain", "log",
                        "backend"):
            self.assertIn(f"{section}:\n", yaml)

    async def test_a_drained_node_works_on_without_clients_until_it_is_undrained(self):
        client, _ = await self.owned("alice")
        self.assertEqual(await self.node.call("Admin/Drain", window="0s"), {"connections": "1"})
        await self.assertClosed(client, 1012)
        self.assertEqual((await self.node.http("/readyz"))[0], 503)
        health = await self.node.grpcurl(self.node.control, "grpc.health.v1.Health/Check")
        self.assertIn("NOT_SERVING", health)
        with self.assertRaises(websockets.InvalidStatusCode) as refused:
            await self.connect(self.node)
        self.assertEqual(refused.exception.status_code, 503)
        await self.node.call("Admin/Undrain")
        self.assertEqual((await self.node.http("/readyz"))[0], 200)
        await self.owned("alice")

    async def test_sigterm_shows_the_end_of_every_connection_and_ends_the_stream(self):
        client, connection_id = await self.owned("alice")
        self.node.send(signal.SIGTERM)
        await self.events.event("EVENT_KIND_DISCONNECTED", connection_id=connection_id)
        await self.assertClosed(client, 1012)
        self.assertNotEqual(await self.events.end(), 0)
        self.assertEqual(await self.node.exit_code(), 0)


class ReloadTest(NodeTestCase):
    async def test_limits_and_histories_of_rooms_change_while_it_runs(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            node = await self.start("--config", file.name)

            async def reload(text):
                file.seek(0)
                file.truncate()
                file.write(text)
                file.flush()
                node.send(signal.SIGHUP)
                reloaded = await node.log_line("reloaded")
                self.assertEqual(reloaded["needs_restart"], [])
                return reloaded["changed"]

            def push(room, **more):
                return node.call("Router/Push", room=room, payload={"text": "x"}, **more)

            async def refusal(room, **more):
                with self.assertRaises(CallFailed) as refused:
                    await push(room, **more)
                return refused.exception.reason

            self.assertEqual(await refusal("chat:a", reliable=True), "HISTORY_OFF")
            self.assertEqual(
                await reload('limits:\n  namespaces: ["chat: room_rate=2/1h history_size=5"]\n'),
                ["limits.namespaces"])
            for _ in range(2):
                await push("chat:a", reliable=True)
            self.assertEqual(await refusal("chat:a"), "RATE_ROOM")
            await push("news")
            self.assertEqual(await reload("limits:\n  client_rate: 1/1h\n"),
                             ["limits.client_rate", "limits.namespaces"])
            await push("chat:a", from_client_id="bob")
            self.assertEqual(await refusal("chat:a", from_client_id="bob"), "RATE_CLIENT")
            self.assertEqual(await reload(""), ["limits.client_rate"])
            await push("chat:a", from_client_id="bob")


if __name__ == "__main__":
    main(needs_grpcurl=True)
