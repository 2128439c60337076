// A network between a client and nodes, which can be cut, or swallow everything without a word. Who
// connects gets to the first of the nodes that is there, as behind a load balancer.
import { connect, createServer } from "node:net";
import { once } from "node:events";

/** Ends with the test `t`. */
export async function startProxy(t, ...targets) {
  const pairs = new Set(); // [near, far]
  let isCut = false;
  const server = createServer((near) => {
    near.on("error", () => {});
    if (isCut) return near.destroy();
    near.pause();
    reach(near, targets);
  });

  function reach(near, [target, ...others]) {
    if (!target) return near.destroy();
    const [host, port] = target.split(":");
    const far = connect(port, host);
    far.once("error", () => reach(near, others));
    far.once("connect", () => {
      far.removeAllListeners("error");
      join(near, far);
    });
  }

  function join(near, far) {
    const pair = [near, far];
    pairs.add(pair);
    for (const [one, other] of [pair, [far, near]]) {
      one.on("error", () => {});
      one.on("close", () => {
        pairs.delete(pair);
        if (!pair.isSwallowed) other.destroy();
      });
      one.pipe(other);
    }
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = () => {
    isCut = true;
    for (const pair of pairs) pair.forEach((socket) => socket.destroy());
  };
  /** What is connected now hears nothing of the other side any more, not even its end. */
  const swallow = () => {
    for (const pair of pairs) {
      pair.isSwallowed = true;
      const [near, far] = pair;
      for (const [one, other] of [pair, [far, near]]) {
        one.unpipe(other);
        one.resume();
      }
    }
  };
  t.after(() => {
    cut();
    server.close();
  });
  const heal = () => { isCut = false; };
  const only = (target) => { targets = [target]; };
  return { address: `127.0.0.1:${server.address().port}`, cut, heal, swallow, only };
}
