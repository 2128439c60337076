import assert from "node:assert/strict";
import { test } from "node:test";
import { fate, settled, start } from "./support/fakes.js";

const epoch = "e1";
const at = (offset, more = {}) => ({ offset: String(offset), epoch, ...more });

/** A client in the room `a`; what it hears is in `heard`. `since` is the node's answer. */
async function inRoom(since, handlers = {}) {
  const all = start();
  const heard = [];
  const room = all.client.join("a", {
    onMessage: (message) => heard.push(message.offset ?? message.data),
    onGap: ({ count }) => heard.push(count === undefined ? "gap" : `gap ${count}`),
    onLeft: ({ reason }) => heard.push(reason),
    ...handlers,
  });
  all.last().open();
  const [{ join }] = all.last().take();
  all.last().say({ welcome: { connectionId: "c1", clientId: "alice", session: "s1" } });
  all.last().say({ joined: { id: join.id, room: "a", since } });
  const message = (offset, more) =>
    all.last().say({ msg: { room: "a", text: String(offset), ...at(offset, more) } });
  /** Cut, and online again, with the Join that the client has sent. */
  const back = async (welcome = {}) => {
    all.last().cut();
    const socket = await all.again();
    socket.open();
    const sent = socket.take();
    socket.say({ welcome: { connectionId: "c2", clientId: "alice", ...welcome } });
    const again = sent.find((frame) => frame.join)?.join;
    const answer = (more) => socket.say({ joined: { id: again.id, room: "a", ...more } });
    return { socket, sent, join: again, answer };
  };
  return { ...all, room, heard, message, back };
}

test("rooms are joined right behind the opening, before anything is answered", async () => {
  const { client, last } = start();
  client.join("a");
  client.join("b", { since: { offset: 7, epoch } });
  assert.deepEqual(last().sent, []);
  last().open();
  assert.deepEqual(last().take().map(({ join }) => [join.room, join.since]),
                   [["a", undefined], ["b", { offset: "7", epoch }]]);
  client.join("c");
  assert.equal(last().take()[0].join.room, "c");
});

test("a room that is joined twice is a fault of the program", () => {
  const { client } = start();
  client.join("a");
  assert.throws(() => client.join("a"), TypeError);
});

test("a join that nobody owns yet is repeated when somebody does", async () => {
  const { client, last } = start();
  const joined = fate(client.join("a").joined);
  last().open();
  last().say({ welcome: { connectionId: "c1" } });
  const [{ join }] = last().take();
  last().say({ error: { id: join.id, reason: "CONNECTION_NOT_OWNED" } });
  assert.deepEqual(last().take(), []);
  last().say({ welcome: { connectionId: "c1", clientId: "alice" } });
  const [{ join: second }] = last().take();
  last().say({ joined: { room: "a" } }); // by a service: not the answer
  await settled();
  assert.equal(joined.now, "open");
  last().say({ joined: { id: second.id, room: "a" } });
  await settled();
  assert.deepEqual(joined.now, ["value", undefined]);
});

test("a join that may succeed later is repeated then, one that may not is over", async () => {
  const { client, clock, last } = start();
  const left = [];
  const room = client.join("a", { onLeft: ({ reason }) => left.push(reason) });
  const joined = fate(room.joined);
  last().welcome();
  const [{ join }] = last().take();
  last().say({ error: { id: join.id, reason: "JOIN_UNDECIDED", retryAfterMs: 1000 } });
  await clock.pass(1499);
  assert.deepEqual(last().take(), []);
  await clock.pass(1);
  const [{ join: second }] = last().take();
  last().say({ error: { id: second.id, reason: "JOIN_FORBIDDEN", text: "no" } });
  await settled();
  assert.deepEqual(joined.now, ["reason", "JOIN_FORBIDDEN"]);
  assert.deepEqual(left, ["JOIN_FORBIDDEN"]);
  client.join("a"); // it may try
});

test("copies are dropped, and a hole is told before what is behind it", async () => {
  const { heard, message, room } = await inRoom(at(10));
  for (const offset of [10, 11, 11, 12, 9, 15, 15, 16]) message(offset);
  assert.deepEqual(heard, [11, 12, "gap 2", 15, 16]);
  assert.deepEqual(room.position, { offset: 16, epoch });
});

test("another epoch is a gap", async () => {
  const { heard, message } = await inRoom(at(10));
  message(11);
  message(1, { epoch: "e2" });
  message(2, { epoch: "e2" });
  assert.deepEqual(heard, [11, "gap", 1, 2]);
});

test("offsets may be numbers, and payloads octets", async () => {
  const heard = [];
  const { last } = await inRoom({ offset: 3, epoch }, { onMessage: (m) => heard.push(m) });
  last().say({ msg: { room: "a", binary: "AP+A", offset: 4, epoch } });
  assert.deepEqual(heard, [{ room: "a", data: Uint8Array.of(0, 255, 128), offset: 4, epoch }]);
});

test("who comes back offers the session, and asks from where it was", async () => {
  const { message, back, sockets } = await inRoom(at(10));
  message(11);
  const { join } = await back({ resumed: true });
  assert.deepEqual(sockets[1].protocols, ["wsrouter.v1.json", "wsrouter.session.s1"]);
  assert.deepEqual(join.since, { offset: "11", epoch });
});

test("what was missed is replayed, in order, also where live frames come first", async () => {
  const { heard, message, back } = await inRoom(at(10));
  const { answer } = await back();
  message(14); // a service joined it again before the node took its own Join
  answer({ since: at(14), recovered: true });
  for (const offset of [11, 12, 13, 14, 15]) message(offset);
  assert.deepEqual(heard, [11, 12, 13, 14, 15]);
});

test("what cannot be replayed is one gap", async () => {
  const { heard, message, back, room } = await inRoom(at(10));
  const { answer } = await back();
  answer({ since: at(50) });
  for (const offset of [41, 42]) message(offset);
  assert.deepEqual(heard, ["gap", 41, 42]);
  assert.deepEqual(room.position, { offset: 42, epoch });
});

test("a cut within the replay asks from the last that arrived", async () => {
  const { heard, message, back } = await inRoom(at(10));
  (await back()).answer({ since: at(14), recovered: true });
  message(11);
  const second = await back();
  assert.equal(second.join.since.offset, "11");
  second.answer({ since: at(14), recovered: true });
  for (const offset of [12, 13, 14]) message(offset);
  assert.deepEqual(heard, [11, 12, 13, 14]);
});

test("a room without history has a gap at each new connection, resumed or not", async () => {
  const { heard, back, last } = await inRoom(undefined);
  last().say({ msg: { room: "a", text: "one" } });
  const { join, answer } = await back();
  assert.equal(join.since, undefined);
  answer();
  const resumed = await back({ resumed: true });
  resumed.socket.say({ gap: { room: "a" } }); // the node's word where it was resumed
  resumed.answer();
  assert.deepEqual(heard, ["one", "gap", "gap"]);
});

test("a gap of the node is told once, with its count", async () => {
  const { heard, message, last } = await inRoom(at(10));
  last().say({ gap: { room: "a", count: 3 } });
  last().say({ gap: { room: "b", count: 3 } });
  message(14);
  message(17);
  last().say({ gap: {} });
  assert.deepEqual(heard, ["gap 3", 14, "gap 2", 17, "gap"]);
});

test("who is taken out by a service is not back by itself", async () => {
  const { heard, last, back } = await inRoom(undefined);
  last().say({ left: { room: "a" } });
  assert.deepEqual(heard, ["LEFT"]);
  assert.deepEqual((await back()).sent, []);
});

test("a left room is silent at once, and is left again where a cut came between", async () => {
  const { client, heard, last, message, room, back } = await inRoom(at(10));
  const elsewhere = [];
  client.onMessage((m) => elsewhere.push(m.data));
  const left = fate(room.leave());
  assert.equal(last().take()[0].leave.room, "a");
  message(11);
  const { socket, sent } = await back({ resumed: true });
  assert.deepEqual(sent.map((frame) => Object.keys(frame)[0]), ["leave"]);
  assert.equal(left.now, "open");
  socket.say({ left: { id: sent[0].leave.id, room: "a" } });
  await settled();
  assert.deepEqual(left.now, ["value", undefined]);
  assert.deepEqual([heard, elsewhere], [[], []]);
});

test("who leaves because of a gap hears nothing behind it", async () => {
  const heard = [];
  const all = await inRoom(at(10), {
    onGap: () => void all.room.leave(),
    onMessage: ({ offset }) => heard.push(offset),
  });
  all.message(11);
  all.message(14);
  assert.deepEqual(heard, [11]);
});

test("a room can be joined again while it is being left", async () => {
  const { client, last, room } = await inRoom(undefined);
  const left = fate(room.leave());
  const again = client.join("a");
  const [{ leave }, { join }] = last().take();
  last().say({ left: { id: leave.id, room: "a" } });
  last().say({ joined: { id: join.id, room: "a" } });
  await again.joined;
  assert.deepEqual(left.now, ["value", undefined]);
});

test("presence is asked for where it is wanted, and its absence is no harm", async () => {
  const seen = [];
  const { client, last } = await inRoom(undefined, { onPresence: (p) => seen.push(p) });
  const [{ presence }] = last().take();
  assert.deepEqual([presence.room, presence.on], ["a", true]);
  last().say({ error: { id: presence.id, reason: "FRAME_UNKNOWN" } });
  assert.equal(client.state.status, "online");
  last().say({ presence: { room: "a", joined: ["bob"], count: 2 } });
  last().say({ presence: { room: "a", left: ["bob"], count: 1 } });
  assert.deepEqual(seen, [{ room: "a", joined: ["bob"], left: [], count: 2 },
                          { room: "a", joined: [], left: ["bob"], count: 1 }]);
});

test("what is of no joined room goes to the client, and notices too", () => {
  const { client, last } = start();
  const seen = [];
  client.onMessage((m) => seen.push(m));
  client.onNotice((n) => seen.push(n));
  last().welcome();
  last().say({ msg: { text: "for you" } });
  last().say({ msg: { room: "x", text: "" } });
  last().say({ notice: { kind: "draining", withinMs: 500 } });
  last().say({ future: { thing: 1 } });
  assert.deepEqual(seen, [{ data: "for you" }, { data: "", room: "x" },
                          { kind: "draining", withinMs: 500 }]);
});
