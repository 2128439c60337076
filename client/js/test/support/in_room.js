import { start } from "./fakes.js";

export const epoch = "e1";
export const at = (offset, more = {}) => ({ offset: String(offset), epoch, ...more });

/** A client in the room `a`; what it hears is in `heard`. `since` is the node's answer. */
export async function inRoom(since, handlers = {}) {
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
