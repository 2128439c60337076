// The chat page in a real browser, at a real node, over a network that is cut.
import assert from "node:assert/strict";
import { test } from "node:test";
import { enter, gap, keys, launch, missingBrowser, numbered } from "./support/page.js";
import { startProxy } from "./support/proxy.js";
import { startChat, startNode } from "./support/real_node.js";

const options = { skip: missingBrowser, timeout: 240_000 };

/** A node with the chat, a network to it, alice behind that, and bob beside it. */
async function twoTabs(t) {
  const node = await startNode(t, keys);
  await startChat(t, node.control);
  const network = await startProxy(t, node.gateway);
  const browser = await launch(t);
  const alice = await enter(browser, network.address, "alice", "light");
  const bob = await enter(browser, node.gateway, "bob", "dark");
  await alice.isTold("bob has joined");
  return { node, network, browser, alice, bob };
}

test("two tabs talk, and what was said while the network was cut comes in its order", options,
     async (t) => {
  const { network, alice, bob } = await twoTabs(t);
  await bob.says("<b>hello</b> & grüße");
  await alice.hears("<b>hello</b> & grüße");
  await alice.tab.waitForFunction(() => document.querySelector("#count").innerText === "2");

  network.cut();
  await alice.isLost();
  await bob.says(...numbered(1, 3));
  await alice.type("from the queue");
  await alice.tab.waitForSelector("#log .pending");
  await alice.picture("cut");
  network.heal();
  await alice.shows("connected, nothing missed");
  await bob.says("and on");
  const all = ["<b>hello</b> & grüße", ...numbered(1, 3), "from the queue", "and on"];
  for (const one of [alice, bob]) {
    await one.hears("from the queue");
    await one.hears("and on");
    assert.deepEqual((await one.texts()).toSorted(), all.toSorted());
    assert.deepEqual(one.faults, []);
  }
  // Her row waited behind what the room has shown since; the others are in the room's order.
  assert.deepEqual(await alice.texts(), await bob.texts());
  assert.deepEqual(await alice.news(), ["bob has joined", "Caught up: 3 missed above"]);
  await alice.picture("light");
  await bob.picture("dark");

  await bob.tab.click("#leave");
  await alice.isTold("bob has left");
  assert.equal(await bob.tab.isVisible("#entry"), true);
});

test("cut again and again while somebody talks, no message is lost, doubled or out of order",
     options, async (t) => {
  const { network, alice, bob } = await twoTabs(t);
  for (let round = 0; round < 4; ++round) {
    await bob.says(...numbered(4 * round + 1, 4 * round + 2));
    network.cut();
    await bob.says(...numbered(4 * round + 3, 4 * round + 4));
    await alice.isLost();
    network.heal();
  }
  await alice.hears("number 16");
  for (const one of [alice, bob]) assert.deepEqual(await one.texts(), numbered(1, 16));
  assert.ok(!(await alice.news()).includes(gap));
});

test("a network that swallows everything is noticed when the browser says that it changed",
     options, async (t) => {
  const { network, alice, bob } = await twoTabs(t);
  await bob.says("number 1");
  await alice.hears("number 1");
  network.swallow();
  await bob.says(...numbered(2, 3));
  await alice.tab.evaluate(() => dispatchEvent(new Event("online")));
  // Nobody answers the ping; the node, which has not noticed yet, closes the old connection 4020.
  await alice.shows("connected, nothing missed");
  await bob.says("number 4");
  await alice.hears("number 4");
  assert.deepEqual(await alice.texts(), numbered(1, 4));
  assert.deepEqual(await alice.news(), ["bob has joined", "Caught up: 2 missed above"]);
});

test("a node that forgets what it was is back with its clients, and they are told of the gap",
     options, async (t) => {
  const { node, network, alice, bob } = await twoTabs(t);
  await bob.says("number 1");
  await alice.hears("number 1");
  await node.end("SIGKILL");
  for (const one of [alice, bob]) await one.isLost();
  network.heal();
  const next = await startNode(t, { ...keys, "gateway.listen": node.gateway });
  await startChat(t, next.control);
  for (const one of [alice, bob]) {
    await one.isTold(gap);
    await one.shows("connected, with a gap");
  }
  await alice.picture("gap");
  await bob.says("number 2");
  await alice.hears("number 2");
  for (const one of [alice, bob]) assert.deepEqual(await one.texts(), numbered(1, 2));
});

test("who is refused is told at the entry, and may try again", options, async (t) => {
  const node = await startNode(t, keys);
  await startChat(t, node.control);
  const { tab } = await enter(await launch(t), node.gateway, "alice");
  await tab.click("#leave");
  await tab.fill("#room", "a\u007fb");
  await tab.click("#entry button");
  await tab.waitForSelector("#problem:not([hidden])");
  assert.match(await tab.innerText("#problem"), /not allowed/);
  await tab.fill("#room", "kitchen");
  await tab.click("#entry button");
  await tab.waitForSelector("#state.online");
  assert.equal(await tab.isVisible("#problem"), false);
});
