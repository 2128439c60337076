// The chat page in a real browser, at the nodes of a cluster whose nodes and Redis fail.
import assert from "node:assert/strict";
import { test } from "node:test";
import { enter, gap, keys, launch, missingBrowser, numbered } from "./support/page.js";
import { startProxy } from "./support/proxy.js";
import { startChat, startNode } from "./support/real_node.js";
import { missingRedis, startRedis } from "./support/redis.js";

const options = { skip: missingBrowser || missingRedis, timeout: 240_000 };

/** Two nodes with the chat, around one Redis: alice comes by `network`, bob to the second. */
async function cluster(t, redisOptions = {}) {
  const redis = await startRedis(t, redisOptions);
  const start = async (more = {}) => {
    const node = await startNode(t, { ...keys, redis, ...more });
    const chat = await startChat(t, node.control);
    return { ...node, chat };
  };
  const first = await start();
  const second = await start();
  const network = await startProxy(t, first.gateway, second.gateway);
  const browser = await launch(t);
  const bob = await enter(browser, second.gateway, "bob");
  const alice = await enter(browser, network.address, "alice");
  await bob.isTold("alice has joined");
  return { redis, start, first, second, network, alice, bob };
}

async function bothHaveHeard(all, { alice, bob }) {
  for (const one of [alice, bob]) {
    await one.hears(all.at(-1));
    assert.deepEqual(await one.texts(), all);
    assert.ok(!(await one.news()).includes(gap));
    assert.deepEqual(one.faults, []);
  }
}

test("where a node is killed the other takes over, and nothing is lost", options, async (t) => {
  const all = await cluster(t);
  const { first, alice, bob } = all;
  await bob.says(...numbered(1, 2));
  await first.end("SIGKILL");
  await bob.says(...numbered(3, 5));
  await alice.shows("connected, nothing missed");
  await alice.says("number 6");
  await bothHaveHeard(numbered(1, 6), all);
  assert.deepEqual((await bob.news()).filter((text) => text.startsWith("alice")),
                   ["alice has joined"]); // nobody saw her go
  await alice.picture("takeover");
});

test("a node that is killed and started again has its clients back, and nothing is lost", options,
     async (t) => {
  const all = await cluster(t);
  const { start, first, second, network, alice, bob } = all;
  await bob.says(...numbered(1, 2));
  network.only(first.gateway);
  await first.end("SIGKILL");
  await alice.isLost();
  await bob.says(...numbered(3, 5));
  await start({ "gateway.listen": first.gateway });
  await alice.shows("connected, nothing missed");
  await alice.says("number 6");
  await bothHaveHeard(numbered(1, 6), all);
});

test("a node is drained while somebody talks, and nothing is lost", options, async (t) => {
  const all = await cluster(t);
  const { first, alice, bob } = all;
  await bob.says(...numbered(1, 2));
  const ended = first.end("SIGTERM");
  await bob.says(...numbered(3, 8));
  await ended;
  await alice.shows("connected, nothing missed");
  await alice.says("number 9");
  await bothHaveHeard(numbered(1, 9), all);
});

test("Redis restarts with all that it had: what was said meanwhile is late, and nothing is lost",
     options, async (t) => {
  const all = await cluster(t);
  const { redis, network, alice, bob } = all;
  await bob.says(...numbered(1, 2));
  await alice.hears("number 2");
  await redis.kill();
  await bob.type("number 3");
  await bob.tab.waitForSelector("#log .pending");
  network.cut();
  await alice.isLost();
  network.heal(); // nobody can be let in now
  await alice.tab.waitForFunction(
    () => document.getElementById("state").textContent.startsWith("offline"));
  await redis.start();
  await bob.hears("number 3");
  await bob.says("number 4");
  await alice.shows("connected, nothing missed");
  await alice.says("number 5");
  await bothHaveHeard(numbered(1, 5), all);
});

test("Redis comes back empty: who missed something is told, and the talk goes on", options,
     async (t) => {
  const { redis, network, alice, bob } = await cluster(t, { keeps: false });
  await bob.says("number 1");
  await alice.hears("number 1");
  network.cut();
  await alice.isLost();
  await redis.kill();
  await redis.start();
  await bob.says("number 2");
  network.heal();
  await alice.isTold(gap);
  await bob.says("number 3");
  await alice.says("number 4");
  assert.deepEqual((await alice.texts()).slice(-2), numbered(3, 4));
  assert.deepEqual(await bob.texts(), numbered(1, 4));
});
