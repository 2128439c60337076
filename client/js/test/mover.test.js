import assert from "node:assert/strict";
import { test } from "node:test";
import { fate, settled, start } from "./support/fakes.js";

/** A client that has been online for a while, whom the node tells that it empties itself. */
async function warned(options = {}, withinMs = 20_000) {
  const all = start(options);
  await settled();
  all.last().welcome({ session: "s1" });
  await all.clock.pass(10_000);
  all.clock.random = () => 0.25;
  all.last().say({ notice: { kind: "draining", withinMs } });
  all.last().take();
  return all;
}

test("a node that empties itself is left at a random moment of its time, with the session",
     async () => {
  const { client, clock, sockets, last, states } = await warned();
  await clock.pass(4999);
  assert.equal(sockets.length, 1);
  const old = last();
  await clock.pass(1);
  assert.equal(old.closed.code, 4000); // not 1000, which ends the session
  assert.equal(states.find(({ status }) => status === "waiting").reason, "draining");
  assert.equal(sockets.length, 2);
  assert.ok(last().protocols.includes("wsrouter.session.s1"));
  last().answersPings = true;
  last().welcome({ resumed: true });
  await clock.pass(60_000);
  assert.equal(client.state.status, "online");
  assert.equal(sockets.length, 2); // once for a notice
});

test("what is unanswered is awaited, so that it does not become uncertain", async () => {
  const { client, clock, sockets, last } = await warned();
  const first = fate(client.send("a"));
  const second = fate(client.request("b"));
  const [a, b] = last().take().map(({ message }) => message.id);
  await clock.pass(5000);
  assert.equal(sockets.length, 1);
  last().say({ error: { id: a, reason: "MESSAGE_UNHEARD" } });
  assert.equal(sockets[0].closed, null);
  last().say({ ack: { id: b, text: "yes" } });
  assert.equal(sockets[0].closed.reason, "draining");
  await settled();
  assert.deepEqual([first.now, second.now], [["reason", "MESSAGE_UNHEARD"], ["value", "yes"]]);
});

test("who waits for an answer until the node closes comes back like the others", async () => {
  const { client, clock, last, again } = await warned();
  const sent = fate(client.send("a"));
  await clock.pass(20_000 - 1);
  assert.equal(client.state.status, "online");
  last().bye(1012, "ADVICE_AT_ONCE");
  await settled();
  assert.deepEqual(sent.now, ["reason", "UNCERTAIN"]);
  const socket = await again();
  socket.answersPings = true;
  socket.welcome({ resumed: true });
  await clock.pass(60_000); // the notice was of the old connection
  assert.equal(client.state.status, "online");
  assert.equal(socket.closed, null);
});

test("the last of several notices counts, and other kinds move nobody", async () => {
  const { clock, sockets, last } = await warned();
  last().say({ notice: { kind: "draining", withinMs: "40000" } });
  last().say({ notice: { kind: "maintenance", withinMs: 1 } });
  await clock.pass(9999);
  assert.equal(sockets.length, 1);
  await clock.pass(1);
  assert.equal(sockets.length, 2);
});

test("a program that closes, or reconnects, at a notice is not moved besides", async () => {
  for (const act of ["close", "reconnect"]) {
    const { client, clock, sockets, last } = start();
    client.onNotice(() => client[act]());
    last().welcome();
    last().say({ notice: { kind: "draining", withinMs: 1000 } });
    assert.equal(sockets[0].closed.code, 1000);
    const count = sockets.length;
    if (act === "reconnect") last().welcome();
    await clock.pass(20_000);
    assert.equal(sockets.length, count, act);
    client.close();
    assert.equal(clock.pending, 0);
  }
});
