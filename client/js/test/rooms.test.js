import assert from "node:assert/strict";
import { test } from "node:test";
import { fate, settled, start } from "./support/fakes.js";
import { at, epoch, inRoom } from "./support/in_room.js";

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
  last().say({ joined: { room: "a" } }); // a service's
  assert.deepEqual(last().take(), []);
  last().say({ ack: { id: presence.id } });
  last().say({ presence: { room: "a", full: true, joined: ["alice", "bob"], count: 2 } });
  last().say({ presence: { room: "a", left: ["bob"], count: 1 } });
  assert.deepEqual(seen, [
    { room: "a", full: true, joined: ["alice", "bob"], left: [], count: 2 },
    { room: "a", full: false, joined: [], left: ["bob"], count: 1 }]);
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
