// One connection, from its WebSocket to its end, which is told exactly once.
//
// It watches that the connection lives: a ping must be followed by some frame, whichever, within
// a time. It also watches that the connection hears: a pong says how many messages the node sent,
// and who counted fewer twice in a row is deaf.
import type { End } from "./retry.js";
import type { Clock, WebSocketLike } from "./types.js";

export interface LinkOptions {
  clock: Clock;
  connectTimeoutMs: number;
  pingIntervalMs: number;
  pongTimeoutMs: number;
  onOpen(): void;
  onFrame(kind: string, body: any): void;
  onEnd(end: End): void;
}

export class Link {
  readonly #socket: WebSocketLike;
  readonly #options: LinkOptions;
  #callOff = () => {};
  #bye: End | undefined;
  #isOpen = false;
  #hasEnded = false;
  #heard = false; // a frame since the last ping
  #messages = 0;
  #behind = 0; // pongs in a row
  #pings = 0;

  constructor(socket: WebSocketLike, options: LinkOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.onopen = () => {
      if (this.#hasEnded) return;
      this.#isOpen = true;
      options.onOpen();
    };
    socket.onmessage = (event) => this.#hear(event.data);
    socket.onclose = (event) =>
      this.#finish(this.#bye ?? { code: event.code ?? 1006, reason: String(event.reason ?? "") });
    socket.onerror = () => {}; // a close follows
    this.#arm(options.connectTimeoutMs, () => this.end(4040, "no welcome"));
  }

  send(frame: object): void {
    if (this.#isOpen && !this.#hasEnded) this.#socket.send(JSON.stringify(frame));
  }

  /** Gives it up from here, whatever the other side does. */
  end(code: number, reason: string, advice = "ADVICE_AT_ONCE"): void {
    if (this.#hasEnded) return;
    this.#finish({ code, reason, advice });
    try {
      this.#socket.close(code, reason);
    } catch {
      // It was closing already.
    }
  }

  /** Whether it still lives is asked now. */
  check(): void {
    if (!this.#isOpen || this.#hasEnded) return;
    this.#heard = false;
    this.send({ ping: { id: `p${++this.#pings}` } });
    const { clock, pongTimeoutMs } = this.#options;
    const due = clock.now() + pongTimeoutMs;
    this.#arm(pongTimeoutMs, () => {
      if (this.#heard) return this.#pingLater();
      // Where the program itself stood still, the answer may wait behind this timer.
      if (clock.now() > due + pongTimeoutMs) return this.check();
      this.end(4040, "no pong");
    });
  }

  #hear(data: unknown): void {
    if (this.#hasEnded || typeof data !== "string") return;
    let frame: Record<string, any>;
    try {
      frame = JSON.parse(data);
    } catch {
      return this.end(4000, "no JSON", "ADVICE_LATER");
    }
    this.#heard = true;
    const [kind, body] = Object.entries(frame ?? {})[0] ?? ["", undefined];
    if (!body || typeof body !== "object") return;
    if (kind === "welcome" && !this.#pings) this.#pingLater();
    if (kind === "msg") ++this.#messages;
    if (kind === "gap") this.#behind = 0; // what a pong has counted was lost behind it
    if (kind === "bye") this.#bye = { ...body, reason: body.reason ?? "" };
    if (kind === "pong") this.#compare(Number(body.sent ?? 0));
    else this.#options.onFrame(kind, body);
  }

  #compare(sent: number): void {
    const missing = (sent - this.#messages) | 0; // `sent` counts modulo 2^32
    this.#behind = missing > 0 ? this.#behind + 1 : 0;
    if (this.#behind === 2) this.end(4040, "deaf");
    else this.#pingLater();
  }

  #pingLater(): void {
    this.#arm(this.#options.pingIntervalMs, () => this.check());
  }

  #arm(ms: number, run: () => void): void {
    this.#callOff();
    this.#callOff = this.#options.clock.after(ms, run);
  }

  #finish(end: End): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#callOff();
    this.#options.onEnd(end);
  }
}
