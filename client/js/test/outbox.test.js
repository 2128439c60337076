import assert from "node:assert/strict";
import { test } from "node:test";
import { fate, settled, start } from "./support/fakes.js";

const texts = (socket) => socket.take().map(({ message }) => message.text);

test("a message waits for the connection and for who the client is, in order", async () => {
  const { client, last } = start();
  for (const text of ["1", "2"]) client.send(text);
  last().open();
  assert.deepEqual(last().sent, []);
  last().say({ welcome: { connectionId: "c1" } });
  client.send("3");
  assert.deepEqual(last().sent, []);
  last().say({ welcome: { connectionId: "c1", clientId: "alice" } });
  client.send("4");
  assert.deepEqual(texts(last()), ["1", "2", "3", "4"]);
});

test("nobody may speak where the program says so", () => {
  const { client, last } = start({ anonymous: true });
  client.send("log in");
  last().open();
  last().say({ welcome: { connectionId: "c1" } });
  assert.deepEqual(texts(last()), ["log in"]);
});

test("an ack resolves, a reply goes to a request, an error rejects", async () => {
  const { client, last } = start();
  last().welcome();
  const fates = [client.send("a"), client.request("b"), client.request("c"), client.send("d")]
    .map(fate);
  const ids = last().take().map(({ message }) => message.id);
  last().say({ ack: { id: ids[3] } });
  last().say({ ack: { id: ids[1], binary: "AQI=" } });
  last().say({ ack: { id: ids[2] } });
  last().say({ error: { id: ids[0], reason: "MESSAGE_UNHEARD", text: "nobody listens" } });
  await settled();
  assert.deepEqual(fates.map(({ now }) => now), [
    ["reason", "MESSAGE_UNHEARD"], ["value", Uint8Array.of(1, 2)], ["value", undefined],
    ["value", undefined]]);
});

test("what it is about goes along, and octets too", () => {
  const { client, last } = start();
  const room = client.join("a");
  last().welcome();
  last().take();
  room.send(Uint8Array.of(0, 255));
  client.send("x", { room: "b" });
  const said = last().take().map(({ message: { id, ...rest } }) => rest);
  assert.deepEqual(said, [{ room: "a", binary: "AP8=" }, { room: "b", text: "x" }]);
});

test("a large payload of octets arrives whole", () => {
  const { client, last } = start();
  last().welcome();
  const octets = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);
  client.send(octets);
  const { message } = last().take()[0];
  assert.deepEqual(Uint8Array.from(Buffer.from(message.binary, "base64")), octets);
});

test("the queue is bounded, with what is unanswered in it", async () => {
  const { client, last } = start({ queueMax: 2 });
  const first = fate(client.send("1"));
  client.send("2");
  await assert.rejects(client.send("3"), { reason: "QUEUE_FULL" });
  last().welcome();
  await assert.rejects(client.send("4"), { reason: "QUEUE_FULL" });
  const [{ message }] = last().take();
  last().say({ ack: { id: message.id } });
  await settled();
  assert.deepEqual(first.now, ["value", undefined]);
  client.send("5");
  assert.deepEqual(texts(last()), ["5"]);
});

test("what a cut left open is not repeated, unless it may be", async () => {
  const { client, last, again } = start();
  last().welcome();
  const plain = fate(client.send("plain"));
  const twice = fate(client.send("twice", { idempotent: true }));
  last().take();
  last().cut();
  const waits = fate(client.send("waits"));
  await settled();
  assert.deepEqual(plain.now, ["reason", "UNCERTAIN"]);
  const socket = await again();
  socket.welcome();
  const sent = socket.take();
  assert.deepEqual(sent.map(({ message }) => message.text), ["twice", "waits"]);
  for (const { message } of sent) socket.say({ ack: { id: message.id } });
  await settled();
  assert.deepEqual([twice.now, waits.now], [["value", undefined], ["value", undefined]]);
});

test("who waits too long is told, and a late answer is nobody's", async () => {
  const { client, clock, last } = start();
  last().welcome();
  const request = fate(client.request("a"));
  const send = fate(client.send("b", { timeout: 500 }));
  const patient = fate(client.send("c"));
  const ids = last().take().map(({ message }) => message.id);
  await clock.pass(500);
  assert.deepEqual(send.now, ["reason", "TIMEOUT"]);
  await clock.pass(9500);
  assert.deepEqual(request.now, ["reason", "TIMEOUT"]);
  for (const id of ids) last().say({ ack: { id } });
  await settled();
  assert.deepEqual(patient.now, ["value", undefined]);
});

test("a message that timed out while it waited is not sent", async () => {
  const { client, clock, last } = start();
  client.send("late", { timeout: 100 }).catch(() => {});
  await clock.pass(200);
  last().welcome();
  assert.deepEqual(last().sent, []);
});

test("after the end everything is rejected, also what comes then", async () => {
  const { client } = start();
  const waits = fate(client.send("a"));
  client.close();
  await settled();
  assert.deepEqual(waits.now, ["reason", "CLOSED"]);
  await assert.rejects(client.send("b"), { reason: "CLOSED" });
  await assert.rejects(client.join("a").joined, { reason: "CLOSED" });
});
