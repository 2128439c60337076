// The library and the built node, over real sockets.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { chatter, open } from "./support/clients.js";
import { startProxy } from "./support/proxy.js";
import { missing, secret, startChat, startNode, token } from "./support/real_node.js";

const options = { skip: missing, timeout: 60_000 };

async function nodeWithTokens(t) {
  const folder = mkdtempSync(join(tmpdir(), "wsrouter-js-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "secret"), `${secret}\n`);
  return startNode(t, {
    "auth.issuers": `https://id.example HS256 ${folder}/secret`,
    "auth.token_query": "token",
    "auth.token_subprotocol": "bearer.",
    "auth.clock_slack": "0",
  });
}

test("a token says who it is and where it may go", options, async (t) => {
  const { gateway } = await nodeWithTokens(t);
  const alice = open(t, `ws://${gateway}/ws`, {
    credentials: async () =>
      ({ protocols: [`bearer.${token("alice", { "wsrouter.join": ["team:*"] })}`] }),
  });
  const team = alice.client.join("team:a");
  await alice.online();
  assert.equal(alice.client.state.clientId, "alice");
  await team.joined;
  await assert.rejects(alice.client.join("staff").joined, { reason: "JOIN_FORBIDDEN" });
  await assert.rejects(alice.client.send("hi"), { reason: "MESSAGE_UNHEARD" });
  await team.leave();
});

test("a token that ends is replaced without a word of the program", options, async (t) => {
  const { gateway } = await nodeWithTokens(t);
  const asked = [];
  const alice = open(t, `ws://${gateway}/ws`, {
    credentials: (why) => {
      const exp = Math.floor(Date.now() / 1000) + (asked.push(why) === 1 ? -3600 : 600);
      return { query: { token: token("alice", { exp }) } };
    },
  });
  await alice.online();
  assert.deepEqual(asked, ["first", "refused"]);
  assert.equal(alice.states.find(({ status }) => status === "waiting").code, 4002);
});

test("credentials that will end are replaced before they do, and the node looks at the new ones",
     options, async (t) => {
  const { gateway } = await nodeWithTokens(t);
  const asked = [];
  const end = Math.floor(Date.now() / 1000) + 5;
  const hundredfold = (ms, run) => {
    const timer = setTimeout(run, ms / 100);
    return () => clearTimeout(timer);
  };
  const alice = open(t, `ws://${gateway}/ws`, {
    clock: { now: Date.now, random: Math.random, after: hundredfold },
    credentials: (why) => {
      const exp = asked.push(why) === 1 ? end : end + 600;
      return { query: { token: token("alice", { exp }) }, expiresAt: 1000 * exp };
    },
  });
  await alice.online();
  await alice.until(() => asked.includes("expiring") && alice.client.state.status === "online");
  // Behind the end of the first ones nobody is closed any more.
  await new Promise((resolve) => setTimeout(resolve, 1000 * (end + 1) - Date.now()));
  assert.equal(alice.client.state.status, "online");
  assert.deepEqual(alice.states.filter(({ code }) => code === 4002), []);
});

test("who is refused for good hears why, and tries no more", options, async (t) => {
  const { gateway } = await nodeWithTokens(t);
  const nobody = open(t, `ws://${gateway}/ws`);
  await nobody.until(() => nobody.client.state.status === "closed");
  assert.deepEqual(nobody.states.map(({ status }) => status), ["closed"]);
  assert.equal(nobody.client.state.code, 4001);
  await assert.rejects(nobody.client.send("hi"), { reason: "CLOSED" });
});

test("two clients talk by way of a service that owns them late", options, async (t) => {
  const { gateway, control } = await startNode(t);
  await startChat(t, control);
  const alice = await chatter(t, gateway, "alice");
  const bob = await chatter(t, gateway, "bob");
  await alice.hears('"joined":"bob"');
  await bob.client.send("grüße \"\\ 😀");
  for (const one of [alice, bob]) {
    const said = JSON.parse(await one.hears('"text"'));
    assert.deepEqual(said, { from: "bob", text: "grüße \"\\ 😀" });
  }
  assert.equal(await alice.client.request("?"), undefined); // this service replies nothing
  bob.client.close();
  await alice.hears('"left":"bob"');
});

test("who stayed away for too long to be resumed gets what it missed all the same", options,
     async (t) => {
  const { gateway, control } = await startNode(t, {
    "gateway.resume_window": "0",
    "history.size": "10",
    "history.ttl": "1h",
  });
  await startChat(t, control);
  const network = await startProxy(t, gateway);
  const alice = await chatter(t, network.address, "alice");
  const bob = await chatter(t, gateway, "bob");
  await alice.hears('"joined":"bob"');
  network.cut();
  await alice.until(() => alice.client.state.status === "waiting");
  for (const text of ["1", "2", "3"]) await bob.client.send(text);
  await bob.hears('"text":"3"');
  network.heal();
  await alice.hears('"text":"3"');
  const texts = alice.heard.map((text) => JSON.parse(text).text).filter(Boolean);
  assert.deepEqual(texts, ["1", "2", "3"]);
  assert.equal(alice.gaps, 0);
  assert.equal(alice.client.state.resumed, false);
});

for (const signal of ["SIGTERM", "SIGKILL"]) {
  test(`after ${signal} the client is back at the next node, with its room and queue`, options,
       async (t) => {
    const first = await startNode(t);
    await startChat(t, first.control);
    const alice = await chatter(t, first.gateway, "alice");
    await first.end(signal);
    const lost = () => alice.states.find(({ status }) => status === "waiting");
    const { code } = await alice.until(lost);
    assert.equal(code, signal === "SIGTERM" ? 1012 : 1006);
    const sent = alice.client.send("from the queue");
    const second = await startNode(t, { "gateway.listen": first.gateway });
    await startChat(t, second.control);
    await sent;
    await alice.hears("from the queue");
    await alice.until(() => alice.gaps === 1); // a room without history: something may be missing
    assert.equal(alice.client.state.resumed, false);
  });
}
