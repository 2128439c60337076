// The chat page in a real browser, at a real node, over a network that is cut.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { startProxy } from "./support/proxy.js";
import { missing, startChat, startNode } from "./support/real_node.js";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
  .find(existsSync);
const skip = missing || (executablePath ? false : "there is no Chromium");
const page_file = fileURLToPath(new URL("../../examples/chat.html", import.meta.url));
const keys = { "gateway.page_file": page_file };

async function launch(t) {
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  t.after(() => browser.close());
  return browser;
}

/** A tab in which `name` is in the lobby. */
async function enter(browser, address, name, colorScheme) {
  const context = await browser.newContext({ colorScheme, viewport: { width: 900, height: 600 } });
  const tab = await context.newPage();
  tab.faults = [];
  tab.on("pageerror", (error) => tab.faults.push(error.message));
  await tab.goto(`http://${address}/`);
  await tab.fill("#name", name);
  await tab.click("#entry button");
  await tab.waitForSelector("#state.online");
  tab.say = async (text) => {
    await tab.fill("#text", text);
    await tab.press("#text", "Enter");
  };
  tab.hears = (text) => tab.waitForFunction(
    (wanted) => [...document.querySelectorAll("#log li:not(.pending)")]
      .some((row) => row.innerText.includes(wanted)), text);
  // It is a member again, and says that it may have missed something.
  tab.gaps = (count) => tab.waitForFunction(
    (wanted) => [...document.querySelectorAll("#log .news")]
      .filter((row) => row.innerText === "Something may be missing here").length === wanted, count);
  tab.texts = () => tab.$$eval("#log li:not(.news) span:last-child", (all) =>
    all.map((one) => one.textContent));
  tab.picture = async (what) => {
    const path = `${process.env.WSROUTER_BUILD_DIR}/chat-${what}.png`;
    await tab.screenshot({ path });
  };
  return tab;
}

test("two tabs talk; the network is cut, the node is killed, and both are back by themselves",
     { skip, timeout: 120_000 }, async (t) => {
  const node = await startNode(t, keys);
  await startChat(t, node.control);
  const network = await startProxy(t, node.gateway);
  const browser = await launch(t);
  const alice = await enter(browser, network.address, "alice", "light");
  const bob = await enter(browser, node.gateway, "bob", "dark");
  await alice.hears("bob has joined");
  await bob.say("<b>hello</b> & grüße");
  for (const tab of [alice, bob]) await tab.hears("<b>hello</b> & grüße");
  assert.equal(await alice.innerText("#count"), "2");

  network.cut();
  await alice.waitForSelector("#state.waiting");
  await alice.say("from the queue");
  await alice.waitForSelector("#log .pending");
  await alice.picture("cut");
  network.heal();
  await alice.waitForSelector("#state.online");
  for (const tab of [alice, bob]) await tab.hears("from the queue");
  await alice.gaps(1); // a room without history

  await node.end("SIGKILL");
  await bob.waitForSelector("#state.waiting");
  const next = await startNode(t, { ...keys, "gateway.listen": node.gateway });
  await startChat(t, next.control);
  await alice.gaps(2);
  await bob.gaps(1);
  await bob.say("after the night");
  for (const tab of [alice, bob]) {
    await tab.hears("after the night");
    assert.deepEqual(await tab.texts(),
                     ["<b>hello</b> & grüße", "from the queue", "after the night"]);
    assert.deepEqual(tab.faults, []);
  }
  await alice.picture("light");
  await bob.picture("dark");

  await bob.click("#leave");
  await alice.hears("bob has left");
  assert.equal(await bob.isVisible("#entry"), true);
});

test("who is refused is told at the entry, and may try again", { skip, timeout: 60_000 },
     async (t) => {
  const node = await startNode(t, keys);
  await startChat(t, node.control);
  const browser = await launch(t);
  const tab = await enter(browser, node.gateway, "alice", "light");
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
