// A network between a client and a node, which can be cut.
import { connect, createServer } from "node:net";
import { once } from "node:events";

/** Ends with the test `t`. */
export async function startProxy(t, target) {
  const [host, port] = target.split(":");
  const sockets = new Set();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) return near.destroy();
    const far = connect(port, host);
    for (const [one, other] of [[near, far], [far, near]]) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  t.after(() => {
    cut();
    server.close();
  });
  const heal = () => { isCut = false; };
  return { address: `127.0.0.1:${server.address().port}`, cut, heal };
}
