import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../dist/index.js";
import { fate, settled, start } from "./support/fakes.js";

const pinged = (socket) => socket.take().filter((frame) => frame.ping).map(({ ping }) => ping.id);

test("a connection that does not welcome in time is given up", async () => {
  const { client, clock, last } = start();
  last().open();
  await clock.pass(9999);
  assert.equal(client.state.status, "connecting");
  await clock.pass(1);
  assert.equal(client.state.status, "waiting");
  assert.equal(last().closed.code, 4040);
});

test("an answered ping keeps the connection, an unanswered one ends it", async () => {
  const { client, clock, last, states } = start();
  last().welcome();
  for (let i = 0; i < 3; ++i) {
    await clock.pass(25_000);
    const [id] = pinged(last());
    last().say({ pong: { id, sent: "0" } });
  }
  assert.equal(client.state.status, "online");
  await clock.pass(25_000 + 9999);
  assert.equal(client.state.status, "online");
  await clock.pass(1);
  const { status, reason, delayMs } = states.find(({ status }) => status === "waiting");
  assert.deepEqual([status, reason, delayMs], ["waiting", "no pong", 0]);
});

test("a node that knows no pings lives all the same", async () => {
  const { client, clock, last } = start();
  last().welcome();
  for (let i = 0; i < 3; ++i) {
    await clock.pass(25_000);
    for (const id of pinged(last())) last().say({ error: { id, reason: "FRAME_UNKNOWN" } });
    await clock.pass(10_000);
  }
  assert.equal(client.state.status, "online");
});

test("who counts fewer messages than were sent, on two pongs in a row, is deaf", async () => {
  const { client, clock, last } = start();
  last().welcome();
  last().say({ msg: { text: "1" } });
  const pong = async (sent) => {
    await clock.pass(25_000);
    last().say({ pong: { id: pinged(last())[0], sent } });
  };
  await pong("1");
  await pong(2);
  last().say({ msg: { text: "2" } }); // late, but there
  await pong(2);
  await pong(3);
  assert.equal(client.state.status, "online");
  await pong(3);
  assert.equal(client.state.status, "waiting");
  assert.equal(client.state.reason, "deaf");
  assert.equal(client.state.delayMs, 0);
});

test("who is told of a gap is not deaf, and counts run over", async () => {
  const { client, clock, last } = start();
  last().welcome();
  const pong = async (sent) => {
    await clock.pass(25_000);
    last().say({ pong: { id: pinged(last())[0], sent } });
  };
  await pong(1); // it has counted what gave way to newer ones behind it
  last().say({ gap: { count: 1 } });
  await pong(1);
  await pong(2 ** 32 - 1); // fewer than have come, modulo 2^32
  await pong(1);
  assert.equal(client.state.status, "online");
  await pong(1);
  assert.equal(client.state.reason, "deaf");
});

test("a page that was frozen asks again before it gives up", async () => {
  const { client, clock, last } = start();
  last().welcome();
  await clock.pass(25_000);
  assert.equal(pinged(last()).length, 1);
  clock.jump(3_600_000);
  await clock.pass(0);
  assert.equal(client.state.status, "online");
  const [id] = pinged(last());
  last().say({ pong: { id } });
  assert.equal(client.state.status, "online");
});

function watched() {
  let changed;
  let isWatched = true;
  const page = (told) => {
    changed = told;
    return () => { isWatched = false; };
  };
  return { ...start({ page }), change: (usable) => changed(usable), isWatched: () => isWatched };
}

test("who comes back to the page, or to a network, need not wait for the timer", async () => {
  const { client, clock, sockets, last, change } = watched();
  last().cut();
  change(false);
  assert.equal(sockets.length, 1);
  change(true);
  assert.equal(sockets.length, 2);
  change(true);
  assert.equal(sockets.length, 2);
  last().welcome();
  assert.equal(client.state.status, "online");
  assert.equal(clock.pending, 1); // the next ping; the timer of the attempt is gone
});

test("a time that the node gave is kept also then", async () => {
  const { clock, sockets, last, change } = watched();
  last().welcome();
  last().bye(1013, "ADVICE_LATER", { retryAfterMs: 5000 });
  change(true);
  assert.equal(sockets.length, 1);
  await clock.pass(5000);
  change(true);
  assert.equal(sockets.length, 2);
});

test("a connection is asked whether it lives when the network changed", async () => {
  const { clock, sockets, last, change } = watched();
  last().welcome();
  change(false);
  assert.equal(pinged(last()).length, 1);
  await clock.pass(10_000);
  assert.equal(sockets[0].closed.reason, "no pong");
});

for (const phase of ["connecting", "open", "online", "pinging", "waiting", "joining"]) {
  test(`closed while ${phase}, nothing is left behind`, async () => {
    const { client, clock, sockets, last, states, isWatched } = watched();
    client.request("a").catch(() => {});
    const room = client.join("a");
    if (phase !== "connecting") last().open();
    if (["online", "pinging", "waiting"].includes(phase)) last().welcome();
    if (phase === "pinging") await clock.pass(25_000);
    if (phase === "waiting") last().cut();
    if (phase === "joining") {
      const { join } = last().take()[0];
      last().say({ error: { id: join.id, reason: "JOIN_UNDECIDED", retryAfterMs: 1000 } });
    }
    const joined = fate(room.joined);
    client.close();
    client.close();
    await settled();
    assert.equal(clock.pending, 0);
    assert.equal(isWatched(), false);
    assert.equal(joined.now[1], "CLOSED");
    assert.equal(states.filter(({ status }) => status === "closed").length, 1);
    if (phase !== "waiting") assert.equal(last().closed.code, 1000);
    last().cut();
    await clock.pass(3_600_000);
    assert.equal(sockets.length, 1);
  });
}

test("what is no JSON ends the connection, not the client", async () => {
  const { client, last, again } = start();
  last().welcome();
  last().onmessage({ data: "hello" });
  assert.equal(client.state.status, "waiting");
  (await again()).welcome();
  for (const data of ["null", "[]", "{}", "7", '{"msg":null}', '{"msg":[]}', '{"joined":{}}']) {
    last().onmessage({ data });
  }
  assert.equal(client.state.status, "online");
});

test("a listener that throws stops nobody else", async () => {
  const { client, last } = start();
  const thrown = new Promise((resolve) => {
    process.setUncaughtExceptionCaptureCallback(resolve);
  });
  const heard = [];
  client.onMessage(() => { throw new Error("mine"); });
  const end = client.onMessage(({ data }) => heard.push(data));
  last().welcome();
  last().say({ msg: { text: "1" } });
  assert.equal((await thrown).message, "mine");
  end();
  last().say({ msg: { text: "2" } });
  await settled();
  process.setUncaughtExceptionCaptureCallback(null);
  assert.deepEqual(heard, ["1"]);
});

test("states are told in order, and the second welcome says who it is", async () => {
  const { client, last, states, again } = start();
  last().open();
  last().say({ welcome: { connectionId: "c1" } });
  last().say({ welcome: { connectionId: "c1", clientId: "alice", session: "s" } });
  last().cut();
  (await again()).welcome({ resumed: true });
  client.close();
  assert.deepEqual(states.map(({ status, clientId, resumed }) => [status, clientId, resumed]), [
    ["online", undefined, false], ["online", "alice", false], ["waiting", undefined, undefined],
    ["connecting", undefined, undefined], ["online", "alice", true],
    ["closed", undefined, undefined]]);
});

test("an address that is none, and a missing class, are faults of the program", () => {
  class Never {}
  assert.throws(() => connect("no address", { WebSocket: Never }), TypeError);
  const { WebSocket } = globalThis;
  delete globalThis.WebSocket;
  try {
    assert.throws(() => connect("ws://node.example/ws"), /pass options.WebSocket/);
  } finally {
    if (WebSocket) globalThis.WebSocket = WebSocket;
  }
});

test("http and https stand for ws and wss, and a fragment is of no use", () => {
  const { sockets } = start({}, "https://node.example:8443/ws?a=1#top");
  assert.equal(sockets[0].url.href, "wss://node.example:8443/ws?a=1");
});
