"""The program as a process: start, signals, exit codes, messages, and what clients see of it."""

import asyncio
import contextlib
import json
import os
import signal
import tempfile
import time

import websockets

from harness import (ANY_PORTS, WSROUTER, Node, NodeTestCase, clean_environment, main, run_program,
                     settings, within)


class StartTest(NodeTestCase):
    async def test_port_zero_is_replaced_by_the_real_one(self):
        node = await self.start()
        for address in (node.gateway, node.control, node.admin):
            self.assertRegex(address, r"^127\.0\.0\.1:[1-9][0-9]*$")

    async def test_every_listener_is_named(self):
        node = await self.start(gateway__listen="127.0.0.1:0,[::1]:0")
        addresses = node.lines[-1]["gateway"]
        self.assertEqual(len(addresses), 2)
        async with websockets.connect(f"ws://{addresses[1]}/ws"):
            pass

    async def test_the_listening_line_comes_at_every_log_level(self):
        await self.start(log__level="error")

    async def test_a_file_and_the_environment_configure_it(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("gateway:\n  path: /from-file\n  echo_path: /echo\n")
            file.flush()
            code, out, err = await run_program("--config", file.name, "--check-config",
                                               WSROUTER_GATEWAY_ECHO_PATH="/from-environment")
        self.assertEqual((code, err), (0, ""))
        self.assertIn('path: "/from-file"', out)
        self.assertIn('echo_path: "/from-environment"', out)

    async def test_insecure_control_warns_at_each_start(self):
        node = await self.start(control__listen="0.0.0.0:0", control__insecure_control="true")
        warnings = [line for line in node.lines if line["event"] == "insecure_control"]
        self.assertEqual([line["level"] for line in warnings], ["warning"])

    async def test_a_port_that_is_taken_is_named_and_the_exit_code_is_1(self):
        node = await self.start()
        for key, address in (("gateway.listen", node.gateway), ("control.listen", node.control),
                             ("admin.listen", node.admin)):
            code, out, err = await run_program(*settings(ANY_PORTS | {key: address}))
            self.assertEqual(code, 1, err)
            self.assertEqual(out, "")
            self.assertEqual(len(err.splitlines()), 1, err)
            self.assertIn(address, err)

    async def test_the_descriptor_limit_follows_connections_max(self):
        node = await self.start(gateway__connections_max="100")
        with open(f"/proc/{node.process.pid}/limits", encoding="ascii") as limits:
            line = next(line for line in limits if line.startswith("Max open files"))
        self.assertEqual(line.split()[3], str(100 + 1024))

    async def test_it_starts_at_once_where_another_was_killed(self):
        first = await self.start(node__server_id="gw-1")
        client = await self.connect(first)
        before = json.loads((await first.http("/healthz/ws"))[1])
        self.assertEqual(await first.kill(), -signal.SIGKILL)
        await self.assertClosed(client, 1006)
        second = await self.start(node__server_id="gw-1", gateway__listen=first.gateway,
                                  control__listen=first.control, admin__listen=first.admin)
        await self.connect(second)
        after = json.loads((await second.http("/healthz/ws"))[1])
        self.assertEqual(after["server_id"], before["server_id"])
        self.assertNotEqual(after["incarnation"], before["incarnation"])


class ReloadTest(NodeTestCase):
    async def test_sighup_puts_a_new_file_in_force_and_a_bad_one_changes_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "wsrouter.yaml")

            def write(text):
                with open(file, "w", encoding="utf-8") as out:
                    out.write(text)

            write("log:\n  level: info\n")
            node = await self.start("--config", file)
            client = await self.connect(node)
            write("log:\n  levle: debug\n")
            node.send(signal.SIGHUP)
            refused = await node.log_line("reload_refused")
            self.assertIn("log.levle", refused["message"])
            write("log:\n  level: error\ngateway:\n  path: /other\n")
            node.send(signal.SIGHUP)
            reloaded = await node.log_line("reloaded")
            self.assertEqual(reloaded["changed"], ["log.level"])
            self.assertEqual(reloaded["needs_restart"], ["gateway.path"])
            await within(await client.ping(), "a Pong")
            node.send(signal.SIGTERM)
            self.assertEqual(await node.exit_code(), 0)
            self.assertEqual(node.lines[-1]["event"], "reloaded")  # "stopped" is below the level


    async def test_limits_of_clients_apply_at_once_or_to_those_who_come(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            node = await self.start("--config", file.name)
            old = await self.connect(node, extra_headers={"Origin": "https://b.example"})
            file.write("gateway:\n  allowed_origins: [https://a.example]\n"
                       "  message_bytes_max: 125\n"
                       "limits:\n  client_messages_rate: 1\n  client_messages_burst: 3\n")
            file.flush()
            node.send(signal.SIGHUP)
            reloaded = await node.log_line("reloaded")
        self.assertEqual(reloaded["needs_restart"], [])
        self.assertEqual(reloaded["changed"],
                         ["gateway.allowed_origins", "gateway.message_bytes_max",
                          "limits.client_messages_rate", "limits.client_messages_burst"])
        with self.assertRaises(websockets.InvalidStatusCode) as refused:
            await node.connect(extra_headers={"Origin": "https://b.example"})
        self.assertEqual(refused.exception.status_code, 403)
        new = await self.connect(node, extra_headers={"Origin": "https://a.example"})
        await new.send("x" * 126)
        await self.assertClosed(new, 1009)
        await old.send("x" * 126)  # was let in before, so it may
        await within(await old.ping(), "a Pong")
        with contextlib.suppress(websockets.ConnectionClosed):
            for _ in range(100):
                await old.send("too often")
        await self.assertClosed(old, 4029)

    async def test_admission_changes_while_it_runs(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            node = await self.start("--config", file.name)
            file.write("limits:\n  upgrades_rate: 1\n")
            file.flush()
            node.send(signal.SIGHUP)
            await node.log_line("reloaded")

            async def refusal():
                while True:
                    await self.connect(node)
            with self.assertRaises(websockets.InvalidStatusCode) as refused:
                await within(refusal(), "a refusal")
            self.assertEqual(refused.exception.status_code, 503)
            self.assertGreater(int(refused.exception.headers["Retry-After"]), 0)
            file.truncate(0)
            node.send(signal.SIGHUP)
            self.assertEqual((await node.log_line("reloaded"))["changed"],
                             ["limits.upgrades_rate"])
            for _ in range(20):
                await self.connect(node)


class LogTest(NodeTestCase):
    async def test_a_stderr_that_nobody_reads_holds_nobody_up(self):
        reader, writer = os.pipe()
        with os.fdopen(reader, "rb", buffering=0) as lines:
            process = await asyncio.create_subprocess_exec(
                WSROUTER, *settings(ANY_PORTS), stderr=writer, env=clean_environment())
            node = Node(process)
            self.addCleanup(lambda: process.returncode is None and process.kill())
            listening = json.loads(await within(asyncio.to_thread(lines.readline), "a line"))
            node.gateway, node.admin = listening["gateway"][0], listening["admin"]
            # Opened anew, so that it is not the program's end that does not block.
            full = os.open(f"/proc/self/fd/{writer}", os.O_WRONLY | os.O_NONBLOCK)
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(full, b"x" * 4096)
            os.close(full)
            os.close(writer)
            for _ in range(3):
                process.send_signal(signal.SIGHUP)  # writes a line
                client = await self.connect(node)
                await within(await client.ping(), "a Pong")
            process.send_signal(signal.SIGTERM)
            self.assertEqual(await within(process.wait(), "the end of the node"), 0)


class StopTest(NodeTestCase):
    async def test_both_signals_close_clients_1012_and_end_with_0(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            node = await self.start()
            clients = [await self.connect(node) for _ in range(3)]
            node.send(number)
            for client in clients:
                await self.assertClosed(client, 1012)
            self.assertEqual(await node.exit_code(), 0)
            self.assertEqual(node.lines[-1]["event"], "stopped")

    async def test_a_client_that_does_not_answer_is_cut_off(self):
        node = await self.start(gateway__close_timeout="100ms")
        host, port = node.gateway.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Version: 13\r\n"
                     b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
        await within(reader.readuntil(b"\r\n\r\n"), "the upgrade")
        node.send(signal.SIGTERM)
        self.assertEqual(await node.exit_code(), 0)
        writer.close()

    async def test_during_the_notice_it_is_not_ready_and_still_serves(self):
        node = await self.start(drain__notice="1m", drain__window="0", drain__deadline="2m")
        client = await self.connect(node)
        self.assertEqual((await node.http("/readyz"))[0], 200)
        node.send(signal.SIGTERM)
        await node.log_line("stopping")
        self.assertEqual((await node.http("/readyz"))[0], 503)
        self.assertEqual((await node.http("/healthz"))[0], 200)
        late = await self.connect(node)
        await within(await late.ping(), "a Pong")
        node.send(signal.SIGTERM)  # the second one ends the notice
        await self.assertClosed(client, 1012)
        await self.assertClosed(late, 1012)
        self.assertEqual(await node.exit_code(), 0)


    async def test_a_second_signal_during_the_window_ends_it(self):
        node = await self.start(drain__window="1h", drain__deadline="2h",
                                limits__connections_per_address="0",
                                limits__connects_per_address_rate="0", node__shards="1")
        # Enough for a window of several seconds; the first close shows that it has begun.
        clients = await asyncio.gather(*(self.connect(node) for _ in range(600)))
        node.send(signal.SIGTERM)
        ends = [asyncio.ensure_future(client.wait_closed()) for client in clients]
        await within(asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED), "the first close")
        begun = time.monotonic()
        node.send(signal.SIGTERM)
        self.assertEqual(await node.exit_code(), 0)
        self.assertLess(time.monotonic() - begun, 5)
        await within(asyncio.wait(ends), "the other closes")
        self.assertEqual({client.close_code for client in clients}, {1012})


class ClientTest(NodeTestCase):
    async def test_a_connection_that_nobody_owns_is_closed_4001(self):
        node = await self.start(gateway__auth_timeout="1s")
        await self.assertClosed(await self.connect(node), 4001)

    async def test_the_echo_path_exists_only_when_it_is_set(self):
        node = await self.start(gateway__echo_path="/echo")
        client = await self.connect(node, "/echo")
        for message in ("gr\u00fc\u00df dich", b"\x00\xff", "", "x" * 65536):
            await client.send(message)
            await self.assertReceives(client, message)
        plain = await self.start()
        with self.assertRaises(websockets.InvalidStatusCode) as refused:
            await self.connect(plain, "/echo")
        self.assertEqual(refused.exception.status_code, 404)

    async def test_a_message_that_is_too_big_is_closed_1009(self):
        node = await self.start(gateway__message_bytes_max="1KiB")
        client = await self.connect(node)
        await client.send("x" * 1025)
        await self.assertClosed(client, 1009)

    async def test_only_allowed_origins_and_known_subprotocols_pass(self):
        node = await self.start(gateway__allowed_origins="https://a.example",
                                gateway__subprotocols="chat.v2,chat.v1")
        client = await self.connect(node, origin="https://a.example",
                                    subprotocols=["chat.v1", "chat.v2"])
        self.assertEqual(client.subprotocol, "chat.v2")
        with self.assertRaises(websockets.InvalidStatusCode) as refused:
            await self.connect(node, origin="https://b.example")
        self.assertEqual(refused.exception.status_code, 403)

    async def test_the_page_is_served_where_clients_connect(self):
        with tempfile.TemporaryDirectory() as folder:
            page = os.path.join(folder, "page.html")
            with open(page, "w", encoding="utf-8") as file:
                file.write("<title>hello</title>")
            node = await self.start(gateway__page_file=page)
        self.assertEqual(await node.http("/", node.gateway), (200, "<title>hello</title>"))
        plain = await self.start()
        self.assertEqual((await plain.http("/", plain.gateway))[0], 404)


class AdminTest(NodeTestCase):
    async def test_health_counters_and_metrics_show_a_connection(self):
        node = await self.start(node__server_id="gw-1")
        client = await self.connect(node)
        await within(await client.ping(), "a Pong")
        self.assertEqual((await node.http("/healthz"))[0], 200)
        status, text = await node.http("/healthz/ws")
        self.assertEqual(status, 200)
        health = json.loads(text)
        self.assertEqual(health["server_id"], "gw-1")
        self.assertEqual(health["gauges"]["connections"], 1)
        self.assertIn("\nwsrouter_connections 1", (await node.http("/metrics"))[1])
        self.assertEqual((await node.http("/nope"))[0], 404)


if __name__ == "__main__":
    main()
