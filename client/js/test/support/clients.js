// Clients of real nodes.
import { connect } from "../../dist/index.js";

const WebSocket = globalThis.WebSocket ?? (await import("ws")).default;

/** A client that ends with the test; `until` awaits what its states or messages bring. */
export function open(t, url, more = {}) {
  const client = connect(url, { WebSocket, backoff: { firstMs: 50, maxMs: 200 }, ...more });
  t.after(() => client.close());
  const states = [];
  const heard = [];
  let changed = () => {};
  client.onState((state) => {
    states.push(state);
    changed();
  });
  const hear = (data) => {
    heard.push(data);
    changed();
  };
  client.onMessage(({ data }) => hear(data));
  const until = async (condition) => {
    for (;;) {
      const found = condition();
      if (found) return found;
      await new Promise((resolve) => { changed = resolve; });
    }
  };
  const online = () => until(() => client.state.status === "online" && client.state.clientId);
  return { client, states, heard, hear, until, online };
}

/** A client of chat_backend in the room `lobby`. */
export async function chatter(t, gateway, name) {
  const one = open(t, `ws://${gateway}/ws?name=${name}&room=lobby`);
  one.gaps = 0;
  one.room = one.client.join("lobby", {
    onMessage: ({ data }) => one.hear(data),
    onGap: () => ++one.gaps,
  });
  one.hears = (part) => one.until(() => one.heard.find((text) => text.includes(part)));
  await one.room.joined;
  return one;
}
