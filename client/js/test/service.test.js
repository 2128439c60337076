// The library, a node, and a service that answers.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { WebSocketServer, WebSocket } from "ws";
import { open } from "./support/clients.js";
import { missing, startNode, startService } from "./support/real_node.js";

const isBuilt = existsSync(`${process.env.WSROUTER_BUILD_DIR}/tests/chat_service`);
const skip = missing || (isBuilt ? false : "chat_service was not built");
const options = { skip, timeout: 60_000 };

async function start(t, keys) {
  const service = await startService(t);
  return startNode(t, { "backend.routes": `/chat dns:///${service}`, ...keys });
}

/** A network that lets WebSockets through but for the messages that `isLost`, and counts these. */
async function startLossyProxy(t, target, isLost) {
  const server =
    new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: ([one]) => one });
  await new Promise((resolve) => { server.once("listening", resolve); });
  const lossy = { address: `127.0.0.1:${server.address().port}`, count: 0 };
  server.on("connection", (near, request) => {
    const offered = request.headers["sec-websocket-protocol"].split(/, */);
    const far = new WebSocket(`ws://${target}${request.url}`, offered);
    const isOpen = new Promise((resolve) => { far.once("open", resolve); });
    near.on("message", (data) => void isOpen.then(() => far.send(`${data}`)));
    far.on("message", (data) => {
      if (!isLost(`${data}`)) return near.send(`${data}`);
      ++lossy.count;
    });
    for (const [one, other] of [[near, far], [far, near]]) {
      one.on("error", () => {});
      one.on("close", () => other.terminate());
    }
  });
  t.after(() => {
    for (const one of server.clients) one.terminate();
    server.close();
  });
  return lossy;
}

test("a request gets what the service replies, and the room goes along", options, async (t) => {
  const { gateway } = await start(t);
  const alice = open(t, `ws://${gateway}/chat?alice`);
  assert.equal(await alice.client.request("? how many", { room: "lobby" }),
               "alice asks lobby? how many");
  assert.equal(await alice.client.request("? no room"), "alice asks ? no room");
  assert.equal(await alice.client.request("for all"), undefined); // nothing was replied
  await alice.until(() => alice.heard.includes("alice: for all"));
});

test("a connection on which all arrives is not taken for a deaf one", options, async (t) => {
  const { gateway } = await start(t, { "limits.client_messages_rate": "0" });
  const pinged = [];
  const alice = open(t, `ws://${gateway}/chat?alice`, { pingIntervalMs: 20, WebSocket: class
    extends WebSocket {
      constructor(...words) {
        super(...words);
        this.on("message", (data) => { if (`${data}`.includes("pong")) pinged.push(`${data}`); });
      }
    } });
  for (let i = 0; i < 20 || pinged.length < 10; ++i) await alice.client.request(`number ${i}`);
  assert.match(pinged.at(-1), /"sent":[1-9]/);
  assert.deepEqual(alice.states.filter(({ status }) => status === "waiting"), []);
});

test("a connection that loses a message is left after two pongs", options, async (t) => {
  const { gateway } = await start(t);
  const lossy = await startLossyProxy(t, gateway, (text) => text.includes("lose me"));
  const alice = open(t, `ws://${lossy.address}/chat?alice`, { pingIntervalMs: 100 });
  await alice.client.send("keep me");
  await alice.client.send("lose me");
  const { code, reason } =
    await alice.until(() => alice.states.find(({ status }) => status === "waiting"));
  assert.deepEqual([code, reason, lossy.count], [4040, "deaf", 1]);
  await alice.client.send("again");
  await alice.until(() => alice.heard.includes("alice: again"));
  assert.ok(alice.client.state.resumed);
});
