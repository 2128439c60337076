// A chat service that decides about clients, in Node.js. Run it here, beside a node started with
//   --set "backend.routes=/chat dns:///127.0.0.1:50051" --set gateway.event_cookies=session
//
//   npm install
//   node chat.js [LISTEN NODE]    (by default 127.0.0.1:50051 127.0.0.1:9090)
"use strict";
const path = require("node:path");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const files = loader.loadSync("wsrouter/v1/backend.proto", {
  includeDirs: [path.join(__dirname, "../../../proto")],
  keepCase: true,
  defaults: true,
});
const { Backend, Router } = grpc.loadPackageDefinition(files).wsrouter.v1;
const [listen = "127.0.0.1:50051", node = "127.0.0.1:9090"] = process.argv.slice(2);
const router = new Router(node, grpc.credentials.createInsecure());

const sessions = new Map([
  ["alice-session", "alice"], ["bob-session", "bob"], ["mallory-session", "mallory"]]);
const banned = new Set(["mallory"]);

const text = (value) => ({ text: JSON.stringify(value) });
const toLobby = (news) => ({ room: "lobby", payload: text(news) });

function connect({ request }, answer) {
  const who = sessions.get(request.client.cookies.session);
  if (who === undefined) return answer(null, { refuse: { code: 4001, reason: "log in first" } });
  if (banned.has(who)) return answer(null, { refuse: { code: 4003, reason: "banned" } });
  const first = [text({ type: "welcome", you: who })];
  answer(null, { accept: { client_id: who, rooms: ["lobby"], first } });
}

function parsed(payload) {
  try {
    return JSON.parse(payload.text) ?? {};
  } catch {
    return {};
  }
}

function effectOf(said, from) {
  if (said.type === "say" && typeof said.text === "string") {
    return { push: toLobby({ type: "said", from, text: said.text }) };
  }
  if (said.type === "leave") return { leave: { rooms: ["lobby"] } };
  if (said.type === "quit") return { disconnect: { code: 4000, reason: "bye" } };
  return { disconnect: { code: 1008, reason: "say, leave or quit" } };
}

function message({ request }, answer) {
  answer(null, { effects: [effectOf(parsed(request.payload), request.client_id)] });
}

function disconnected({ request }, answer) {
  const left = toLobby({ type: "left", who: request.client_id });
  router.push(left, { deadline: Date.now() + 5000 }, (error) => answer(error, {}));
}

const server = new grpc.Server();
server.addService(Backend.service,
  { Connect: connect, Message: message, Disconnected: disconnected });
server.bindAsync(listen, grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log("answering at port", port);
});
