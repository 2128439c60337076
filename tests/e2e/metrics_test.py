"""/metrics of the built program: by Prometheus' conventions, right about real traffic, and with every
name that the alerts and the dashboard in deploy/ ask for."""

import asyncio
import json
import os
import re
import shutil
import unittest

import harness
from harness import NodeTestCase, main, within

DEPLOY = os.path.join(os.environ["WSROUTER_SOURCE_DIR"], "deploy")
NAME = re.compile(r"\b(?:wsrouter|process)_[a-z0-9_]+")


def parse(text):
    """Types and helps by family, and values by sample."""
    types, helps, samples = {}, {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            types[name] = kind
        elif line.startswith("# HELP "):
            _, _, name, text_of = line.split(" ", 3)
            helps[name] = text_of
        elif line:
            sample, value = line.rsplit(" ", 1)
            samples[sample] = float(value)
    return types, helps, samples


def asked_for():
    """The names in deploy/, with where they stand."""
    rules = os.path.join(DEPLOY, "prometheus", "wsrouter-rules.yml")
    with open(rules, encoding="utf-8") as file:
        found = [(name, rules) for name in NAME.findall(file.read())]
    dashboard = os.path.join(DEPLOY, "grafana", "wsrouter.json")
    with open(dashboard, encoding="utf-8") as file:
        for panel in json.load(file)["panels"]:
            for target in panel["targets"]:
                found += [(name, panel["title"]) for name in NAME.findall(target["expr"])]
    return found


class MetricsTest(NodeTestCase):
    async def scrape(self, node):
        status, text = await node.http("/metrics")
        self.assertEqual(status, 200)
        return text

    async def test_names_types_and_units_follow_the_conventions(self):
        types, helps, samples = parse(await self.scrape(await self.start()))
        self.assertGreater(len(types), 50)
        self.assertEqual(types.keys(), helps.keys())
        for name, kind in types.items():
            self.assertRegex(name, r"^(wsrouter|process)_[a-z0-9_]+$")
            self.assertEqual(name.endswith("_total"), kind == "counter", name)
            self.assertNotRegex(name, r"_(ms|millis|milliseconds|kb|kilobytes|percent)(_|$)")
            self.assertTrue(helps[name].strip(), name)
            if kind == "histogram" and name + "_count" in samples:  # else it has labels
                self.assertEqual(samples[name + "_count"], samples[name + '_bucket{le="+Inf"}'])
        self.assertEqual(samples['wsrouter_build_info{version="%s"}' % self.version(samples)], 1)

    def version(self, samples):
        line = next(name for name in samples if name.startswith("wsrouter_build_info"))
        return line.split('"')[1]

    async def test_promtool_finds_nothing_to_say(self):
        if shutil.which("promtool") is None:
            self.skipTest("there is no promtool")
        await self.assertPromtoolIsContent(await self.scrape(await self.start()))

    async def assertPromtoolIsContent(self, text):
        promtool = shutil.which("promtool")
        if promtool is None:
            return
        process = await asyncio.create_subprocess_exec(
            promtool, "check", "metrics", stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
        said, _ = await within(process.communicate(text.encode()), "promtool")
        self.assertEqual((process.returncode, said.decode()), (0, ""))

    async def test_traffic_is_counted(self):
        node = await self.start(gateway__echo_path="/echo")
        client = await self.connect(node)
        await within(await client.ping(), "a Pong")
        types, _, samples = parse(await self.scrape(node))
        self.assertEqual(types["wsrouter_delivery_seconds"], "histogram")
        self.assertEqual(samples["wsrouter_connections"], 1)
        self.assertEqual(samples["wsrouter_connections_unowned"], 1)
        self.assertEqual(samples["wsrouter_connections_opened_total"], 1)
        self.assertGreater(samples["wsrouter_loop_turn_seconds_count"], 0)
        self.assertGreater(samples["process_resident_memory_bytes"], 1e6)
        self.assertLess(samples["wsrouter_loop_lag_seconds"], harness.PATIENCE)

    async def test_calls_are_measured(self):
        if not harness.GRPCURL:
            self.skipTest("there is no grpcurl")
        node = await self.start()
        await node.call("Admin/Stats")
        _, _, samples = parse(await self.scrape(node))
        labels = '{method="wsrouter.v1.Admin/Stats",outcome="ok"}'
        self.assertEqual(samples["wsrouter_rpc_seconds_count" + labels], 1)
        self.assertGreater(samples["wsrouter_rpc_seconds_sum" + labels], 0)
        self.assertEqual(samples["wsrouter_rpcs_in_flight"], 0)
        self.assertEqual(samples["wsrouter_backends_paused"], 0)

    async def test_what_a_consumer_group_has_still_to_do_is_shown(self):
        if not harness.GRPCURL:
            self.skipTest("there is no grpcurl")
        node = await self.start(events__log="true")
        asked = json.dumps({"open": {"group": "audit"}})
        await node.grpcurl("-d", asked, node.control, "wsrouter.v1.Events/Consume")
        events = await self.watch(node)
        await self.connect(node)
        connection = (await events.event("EVENT_KIND_CONNECTED"))["connection_id"]
        await node.call("Router/Own", connection_id=connection, client_id="alice", rooms=["lobby"])

        async def shown():
            while True:
                samples = parse(await self.scrape(node))[2]
                if samples.get('wsrouter_log_group_lag{group="audit"}') == 3:
                    return samples
                await asyncio.sleep(0.1)
        samples = await within(shown(), "the lag of the group")
        self.assertEqual(samples['wsrouter_log_group_consumers{group="audit"}'], 0)
        await self.assertPromtoolIsContent(await self.scrape(node))

    async def test_every_name_that_deploy_asks_for_is_there(self):
        types, _, _ = parse(await self.scrape(await self.start()))
        # Of a port without TLS no end of a certificate is shown.
        types["wsrouter_certificate_expiry_seconds"] = "gauge"
        found = asked_for()
        self.assertGreater(len(found), 30)
        for name, where in found:
            family = re.sub(r"_(bucket|sum|count)$", "", name)
            known = name in types or types.get(family) == "histogram"
            self.assertTrue(known, f"{name} in {where}")

    async def test_rules_pass_promtool(self):
        promtool = shutil.which("promtool")
        if promtool is None:
            self.skipTest("there is no promtool")
        process = await asyncio.create_subprocess_exec(
            promtool, "test", "rules", "wsrouter-rules-test.yml",
            cwd=os.path.join(DEPLOY, "prometheus"),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
        said, _ = await within(process.communicate(), "promtool")
        self.assertEqual(process.returncode, 0, said.decode())


if __name__ == "__main__":
    main()
