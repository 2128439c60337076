// What was missed comes out of the history, or the program is told that it does not.
import assert from "node:assert/strict";
import { test } from "node:test";
import { at, epoch, inRoom } from "./support/in_room.js";

test("copies are dropped, and what a hole has swallowed comes out of the history", async () => {
  const { clock, last, heard, message, room } = await inRoom(at(10));
  for (const offset of [10, 11, 11, 12, 9, 15, 15, 16]) message(offset);
  assert.deepEqual(heard, [11, 12]);
  assert.deepEqual(last().take(), []); // not at once: others have lost it, too
  await clock.pass(500);
  const [{ join }] = last().take();
  assert.deepEqual(join.since, { offset: "12", epoch });
  message(17);
  last().say({ joined: { id: join.id, room: "a", since: at(17), recovered: true } });
  for (const offset of [13, 14, 15, 16, 17, 18]) message(offset);
  assert.deepEqual(heard, [11, 12, 13, 14, 15, 16, 17, 18]);
  assert.deepEqual(room.position, { offset: 18, epoch });
});

test("a hole that the history cannot fill is one gap", async () => {
  const { clock, last, heard, message } = await inRoom(at(10));
  message(15);
  message(17);
  await clock.pass(500);
  const [{ join }] = last().take();
  last().say({ error: { id: join.id, reason: "JOIN_UNDECIDED", retryAfterMs: 1000 } });
  message(18);
  await clock.pass(1500);
  const [{ join: second }] = last().take();
  assert.deepEqual(second.since, { offset: "10", epoch });
  last().say({ joined: { id: second.id, room: "a", since: at(19) } });
  message(20);
  message(21);
  assert.deepEqual(heard, ["gap", 20, 21]);
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
  answer({ since: at(10), recovered: true, top: "14" });
  for (const offset of [11, 12, 13, 14, 15]) message(offset);
  assert.deepEqual(heard, [11, 12, 13, 14, 15]);
});

test("who has caught up is told behind the last message that was missed", async () => {
  const heard = [];
  const { message, back } = await inRoom(at(10), {
    onMessage: ({ offset }) => heard.push(offset),
    onGap: () => heard.push("gap"),
    onCaughtUp: ({ room, count }) => heard.push(`${room} ${count}`),
  });
  message(11);
  (await back()).answer({ since: at(11), recovered: true, top: "13" });
  for (const offset of [12, 13, 14]) message(offset);
  (await back()).answer({ since: at(14), recovered: true, top: 14 }); // nothing was missed
  message(15);
  (await back()).answer({ since: at(15), recovered: true, top: "17" });
  message(16);
  (await back()).answer({ since: at(16), recovered: true, top: "18" }); // cut within the replay
  message(17);
  message(18);
  assert.deepEqual(heard, [11, 12, 13, "a 2", 14, "a 0", 15, 16, 17, 18, "a 2"]);
});

test("who has lost something has not caught up", async () => {
  const heard = [];
  const { message, back } = await inRoom(at(10), {
    onMessage: ({ offset }) => heard.push(offset),
    onGap: () => heard.push("gap"),
    onCaughtUp: () => heard.push("caught up"),
  });
  (await back()).answer({ since: at(50) });
  message(51);
  (await back()).answer({ since: at(51), recovered: true, top: "53" });
  message(52);
  assert.deepEqual(heard, ["gap", 51, 52]);
  (await back()).answer({ since: at(60), recovered: false });
  message(61);
  assert.deepEqual(heard, ["gap", 51, 52, "gap", 61]);
});

test("a room whose first message comes while nobody is there has no gap", async () => {
  const { heard, message, back } = await inRoom({ offset: "0", epoch: "" });
  const { join, answer } = await back();
  assert.deepEqual(join.since, { offset: "0", epoch: "" });
  answer({ since: { offset: "0", epoch }, recovered: true, top: "1" });
  message(1);
  assert.deepEqual(heard, [1]);
});

test("what cannot be replayed is one gap", async () => {
  const { heard, message, back, room } = await inRoom(at(10));
  const { answer } = await back();
  answer({ since: at(1, { epoch: "e2" }), recovered: false });
  for (const offset of [2, 3]) message(offset, { epoch: "e2" });
  assert.deepEqual(heard, ["gap", 2, 3]);
  assert.deepEqual(room.position, { offset: 3, epoch: "e2" });
});

test("a cut within the replay asks from the last that arrived", async () => {
  const { heard, message, back } = await inRoom(at(10));
  (await back()).answer({ since: at(10), recovered: true, top: "14" });
  message(11);
  const second = await back();
  assert.equal(second.join.since.offset, "11");
  second.answer({ since: at(11), recovered: true, top: "14" });
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

test("a gap of the node is told with its count, where the room has no history", async () => {
  const { heard, last } = await inRoom(undefined);
  last().say({ gap: { room: "a", count: 3 } });
  last().say({ gap: { room: "b", count: 3 } });
  last().say({ gap: {} });
  assert.deepEqual(heard, ["gap 3", "gap"]);
});

test("a gap of the node is filled where the room has one, by one Join however often it is told",
     async () => {
  const { clock, heard, message, last } = await inRoom(at(10));
  last().say({ gap: { room: "a", count: 3 } });
  last().say({ gap: {} });
  await clock.pass(1000);
  last().say({ gap: { room: "a" } });
  await clock.pass(1000);
  const joins = last().take().filter((frame) => frame.join);
  assert.equal(joins.length, 1);
  last().say({ joined: { id: joins[0].join.id, room: "a", since: at(13), recovered: true } });
  for (const offset of [11, 12, 13]) message(offset);
  assert.deepEqual(heard, [11, 12, 13]);
});

test("what was for others is no hole", async () => {
  const told = [];
  const { last, room, clock, message, back } = await inRoom(at(10), {
    onMessage: ({ offset }) => told.push(offset),
    onCaughtUp: ({ count }) => told.push(`caught up ${count}`),
  });
  const skip = (offset) => last().say({ msg: { room: "a", ...at(offset) } });
  message(11);
  skip(12);
  message(13);
  (await back()).answer({ since: at(13), recovered: true, top: "15" });
  message(14);
  skip(15);
  assert.deepEqual(told, [11, 13, 14, "caught up 1"]);
  assert.deepEqual(room.position, { offset: 15, epoch });
  await clock.pass(2000);
  assert.ok(!last().take().some((frame) => frame.join));
});

test("a hole in which the history has nothing is asked about once", async () => {
  const { clock, last, heard, message } = await inRoom(at(10));
  message(12);
  await clock.pass(500);
  const [{ join }] = last().take();
  last().say({ joined: { id: join.id, room: "a", since: at(10), recovered: true, top: "14" } });
  message(12);
  message(14);
  message(15);
  await clock.pass(2000);
  assert.deepEqual(heard, [12, 14, 15]);
  assert.ok(!last().take().some((frame) => frame.join));
});
