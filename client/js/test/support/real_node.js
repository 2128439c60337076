// The built programs as processes. Nothing here sleeps: what takes time is awaited.
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";

const folder = process.env.WSROUTER_BUILD_DIR;
export const missing = !folder ? "WSROUTER_BUILD_DIR is not set"
  : !existsSync(`${folder}/wsrouter`) ? "wsrouter was not built"
  : !existsSync(`${folder}/chat_backend`) ? "chat_backend was not built" : false;

export const secret = "0123456789abcdef0123456789abcdef0123456789abcdef";

const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("WSROUTER_"));
const env = Object.fromEntries(kept);

/** A line of the process that `matches`, which must come. */
async function line(stream, matches) {
  const seen = [];
  for await (const text of createInterface({ input: stream })) {
    seen.push(text);
    const found = matches(text);
    if (found) {
      stream.resume(); // nobody reads the rest
      return found;
    }
  }
  throw new Error(`it ended: ${seen.join("\n")}`);
}

/** Ends with the test `t`. */
function launch(t, program, words, output, more = {}) {
  const child = spawn(`${folder}/${program}`, words, {
    env: { ...env, ...more },
    stdio: ["stdin", "stdout", "stderr"].map((name) =>
      (name === output || name === "stdin" ? "pipe" : "ignore")), // some end with their stdin
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const end = (signal) => {
    child.kill(signal);
    return ended;
  };
  t.after(() => end("SIGKILL"));
  return { child, end };
}

/** A node; `gateway` and `control` are its addresses, `end(signal)` awaits its exit. */
export async function startNode(t, { redis, ...keys } = {}) {
  const all = {
    "gateway.listen": "127.0.77.2:0", // few know of it: the port of a dead node stays free
    "control.listen": "127.0.0.1:0",
    "admin.listen": "127.0.0.1:0",
    "drain.notice": "0",
    "limits.connects_per_address_rate": "0",
    ...keys,
  };
  const words = Object.entries(all).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const secrets = redis ? { WSROUTER_REDIS_URL: redis.url } : {};
  const { child, end } = launch(t, "wsrouter", words, "stderr", secrets);
  const listening = await line(child.stderr, (text) => {
    const said = text.startsWith("{") ? JSON.parse(text) : {};
    return said.event === "listening" && said;
  });
  return { gateway: listening.gateway[0], control: listening.control, end };
}

export async function startChat(t, control) {
  const { child, end } = launch(t, "chat_backend", ["--router", control], "stdout");
  await line(child.stdout, (text) => text === "watching");
  return { end };
}

/** A service that a node dials (tests/e2e/chat_service.cc); its address. */
export async function startService(t) {
  const { child } = launch(t, "tests/chat_service", [], "stdout");
  return `127.0.0.1:${await line(child.stdout, (text) => text)}`;
}

/** A JWT of the issuer that the tests configure. */
export function token(client, claims = {}) {
  const whole = { iss: "https://id.example", sub: client, exp: Math.floor(Date.now() / 1000) + 60,
                  ...claims };
  const text = [{ alg: "HS256", typ: "JWT" }, whole]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}
