// A redis-server of the test's own, which can be killed and started again.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";

function isThere() {
  try {
    execFileSync("redis-server", ["--version"]);
    return true;
  } catch {
    return false;
  }
}
export const missingRedis = isThere() ? false : "there is no redis-server";

/** `keeps`: what it has taken outlives it. Ends with the test `t`. */
export async function startRedis(t, { keeps = true } = {}) {
  const folder = mkdtempSync(`${tmpdir()}/wsrouter-redis-`);
  const socket = `${folder}/redis.sock`;
  let child;
  const start = async () => {
    const words = ["--port", "0", "--unixsocket", socket, "--dir", folder, "--save", "",
                   "--appendonly", keeps ? "yes" : "no", "--appendfsync", "always"];
    child = spawn("redis-server", words, { stdio: ["ignore", "pipe", "ignore"] });
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.includes("ready to accept connections")) break;
    }
    child.stdout.resume();
  };
  const kill = async () => {
    const ended = once(child, "exit");
    if (child.exitCode === null && child.kill("SIGKILL")) await ended;
  };
  await start();
  t.after(async () => {
    await kill();
    rmSync(folder, { recursive: true });
  });
  return { url: `redis+unix://${socket}`, start, kill };
}
