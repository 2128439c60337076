// The library and two built nodes around one Redis.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chatter } from "./support/clients.js";
import { startProxy } from "./support/proxy.js";
import { missing, startChat, startNode } from "./support/real_node.js";
import { missingRedis, startRedis } from "./support/redis.js";

const options = { skip: missing || missingRedis, timeout: 120_000 };

test("clients of a node that is drained go by themselves, are resumed, and miss nothing", options,
     async (t) => {
  const redis = await startRedis(t);
  const nodes = [];
  for (let i = 0; i < 2; ++i) {
    const node = await startNode(t, {
      redis,
      "node.shards": "1", // which closes 50 a second
      "history.size": "2000", // that so many join is told, too
      "history.ttl": "1h",
      "limits.connections_per_address": "0",
    });
    await startChat(t, node.control);
    nodes.push(node);
  }
  const network = await startProxy(t, ...nodes.map(({ gateway }) => gateway));
  const names = Array.from({ length: 120 }, (_, i) => `client${i}`);
  const crowd = await Promise.all(names.map((name) => chatter(t, network.address, name)));
  const bob = await chatter(t, nodes[1].gateway, "bob");
  for (const one of crowd) await one.hears('"joined":"bob"');
  const ended = nodes[0].end("SIGTERM");
  const said = [];
  for (let i = 0; i < 20; ++i) {
    said.push(`number ${i}`);
    await bob.client.send(said.at(-1));
    await bob.hears(`"${said.at(-1)}"`);
  }
  await ended;
  for (const one of crowd) {
    await one.hears(`"${said.at(-1)}"`);
    await one.online();
    const heard = one.heard.map((text) => JSON.parse(text).text).filter(Boolean);
    assert.deepEqual(heard, said);
    assert.equal(one.gaps, 0);
    assert.equal(one.client.state.resumed, true);
  }
  const reasons = crowd.map(({ states }) => states.find(({ code }) => code)?.reason);
  assert.ok(reasons.filter((reason) => reason === "draining").length > 10, `${reasons}`);
});
