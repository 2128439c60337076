// A clock that stands until it is told, and WebSockets that a test plays the node of.
import assert from "node:assert/strict";
import { connect } from "../../dist/index.js";

export class FakeClock {
  #now = 1_000_000;
  #timers = new Set();
  random = () => 0.5;
  now = () => this.#now;
  after = (ms, run) => {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  get pending() {
    return this.#timers.size;
  }

  /** Time passes and nothing runs, as in a page that the browser has frozen. */
  jump(ms) {
    this.#now += ms;
  }

  /** Runs what is due, in order, and what follows from it. */
  async pass(ms) {
    const end = this.#now + ms;
    await settled();
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
      await settled();
    }
    this.#now = Math.max(this.#now, end);
  }
}

/** Everything that waits for nothing but promises has run. */
export async function settled() {
  await new Promise((resolve) => setImmediate(resolve));
}

export class FakeSocket {
  onopen = null;
  onmessage = null;
  onclose = null;
  onerror = null;
  sent = []; // frames
  answersPings = false;
  closed = null; // what the client closed it with

  constructor(url, protocols) {
    this.url = new URL(url);
    this.protocols = protocols;
  }

  send(text) {
    assert.equal(this.closed, null, "said something on a closed connection");
    const frame = JSON.parse(text);
    this.sent.push(frame);
    if (frame.ping && this.answersPings) this.say({ pong: { id: frame.ping.id } });
    this.onsent?.(frame);
  }

  close(code, reason) {
    this.closed = { code, reason };
  }

  /** The frames that were sent since this was called last. */
  take() {
    return this.sent.splice(0);
  }

  open() {
    this.onopen({});
  }

  say(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }

  cut(code = 1006, reason = "") {
    this.onclose({ code, reason });
  }

  bye(code, advice, more = {}) {
    this.say({ bye: { code, advice, ...more } });
    this.cut(code);
  }

  welcome(more = {}) {
    this.open();
    this.say({ welcome: { connectionId: "c1", clientId: "alice", ...more } });
  }
}

/** A client, and the sockets that it opens. */
export function start(options = {}, url = "ws://node.example/ws?name=alice") {
  const clock = new FakeClock();
  const sockets = [];
  const states = [];
  class Socket extends FakeSocket {
    constructor(...words) {
      super(...words);
      sockets.push(this);
    }
  }
  const client = connect(url, { WebSocket: Socket, clock, ...options });
  client.onState((state) => states.push(state));
  const last = () => sockets.at(-1);
  /** Waits out the delay that the client has announced; returns the socket of the next attempt. */
  const again = async () => {
    assert.equal(client.state.status, "waiting");
    const before = sockets.length;
    await clock.pass(client.state.delayMs);
    assert.equal(sockets.length, before + 1, "no new attempt");
    return last();
  };
  return { client, clock, sockets, states, last, again };
}

/** A promise's fate so far: "open", ["value", ...] or ["reason", ...]. */
export function fate(promise) {
  const seen = { now: "open" };
  promise.then(
    (value) => { seen.now = ["value", value]; },
    (error) => { seen.now = ["reason", error.reason]; },
  );
  return seen;
}

/** Numbers that look random, the same for a seed (a linear congruence). */
export function seeded(seed) {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
