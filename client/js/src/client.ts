// The client: which connection it has, and what crosses from one to the next.
import { Listeners } from "./events.js";
import { decode, positionOf, sessionPrefix, subprotocol } from "./frames.js";
import { Link } from "./link.js";
import { Mover } from "./mover.js";
import { Outbox } from "./outbox.js";
import { Backoff, isSame, planOf, type End } from "./retry.js";
import { Rooms } from "./rooms.js";
import { browserPage, systemClock } from "./surroundings.js";
import {
  WsrouterError,
  type Clock,
  type Credentials,
  type CredentialsReason,
  type Message,
  type Notice,
  type Options,
  type Payload,
  type Room,
  type RoomHandlers,
  type SendOptions,
  type State,
  type WebSocketClass,
} from "./types.js";

const requestTimeoutMs = 10_000;
const refreshMs = 30_000; // so long before credentials end are new ones asked for

export class Client {
  readonly #url: URL;
  readonly #options: Options;
  readonly #class: WebSocketClass;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #outbox: Outbox;
  readonly #rooms: Rooms;
  readonly #mover: Mover;
  readonly #states = new Listeners<State>();
  readonly #messages = new Listeners<Message>();
  readonly #notices = new Listeners<Notice>();
  #state: State = { status: "connecting" };
  #link: Link | undefined;
  #session: string | undefined;
  #credentials: Credentials | undefined;
  #wanted: CredentialsReason | undefined = "first"; // credentials, before the next attempt
  #ids = 0;
  readonly #id = () => String(++this.#ids);
  #turn = 0; // of attempts; what an earlier one awaited does not count any more
  #onlineSince: number | undefined;
  #notBefore = 0; // when the node lets it come back
  #callOff = () => {}; // the next attempt
  #callOffRefresh = () => {};
  #unwatch = () => {};

  constructor(url: string, options: Options) {
    this.#options = options;
    this.#url = new URL(url, globalThis.location?.href);
    this.#url.protocol = this.#url.protocol.replace("http", "ws");
    this.#url.hash = "";
    const found = options.WebSocket ?? (globalThis.WebSocket as WebSocketClass | undefined);
    if (!found) throw new TypeError("there is no global WebSocket: pass options.WebSocket");
    this.#class = found;
    this.#clock = options.clock ?? systemClock;
    const { firstMs = 1000, maxMs = 30_000 } = options.backoff ?? {};
    this.#backoff = new Backoff(this.#clock, firstMs, maxMs);
    const leave = () => this.#link?.end(4000, "draining");
    this.#mover = new Mover(this.#clock, () => this.#outbox.isOut, leave);
    this.onNotice(this.#mover.noticed);
    this.#outbox = new Outbox(options.queueMax ?? 100, this.#clock, () => this.#mover.answered());
    this.#rooms = new Rooms({
      clock: this.#clock,
      nextId: this.#id,
      send: (frame) => this.#link?.send(frame),
    });
    this.#start();
  }

  get state(): State {
    return this.#state;
  }

  /** Each of these returns what ends it. */
  readonly onState = this.#states.add;
  /** What is of no room that was joined here. */
  readonly onMessage = this.#messages.add;
  readonly onNotice = this.#notices.add;

  /** Is a member until `leave()`, on each connection that comes. One at a time for each room. */
  join(name: string, handlers: RoomHandlers = {}): Room {
    const membership = this.#rooms.join(name, handlers);
    if (this.#state.status === "closed") this.#rooms.close(new WsrouterError("CLOSED"));
    return {
      name,
      joined: membership.joined,
      get position() {
        return membership.position;
      },
      send: (payload, options) => this.send(payload, { room: name, ...options }),
      request: (payload, options) => this.request(payload, { room: name, ...options }),
      leave: () => this.#rooms.leave(membership),
    };
  }

  /** Resolves when the services have taken it. */
  async send(payload: Payload, options: SendOptions = {}): Promise<void> {
    await this.#say(payload, options);
  }

  /** Resolves with what the service replied; undefined where it had nothing to say. */
  request(payload: Payload, options: SendOptions = {}): Promise<Payload | undefined> {
    return this.#say(payload, { timeout: requestTimeoutMs, ...options });
  }

  /** Connects anew, with new credentials and as nobody's continuation; also after it was closed. */
  reconnect(): void {
    this.#session = undefined;
    this.#wanted = "first";
    this.#backoff.reset();
    if (this.#state.status === "closed") return this.#start();
    this.#link?.end(1000, "", "ADVICE_AT_ONCE");
    this.#callOff();
    void this.#begin();
  }

  /** For good: what is unanswered is rejected (CLOSED), and no timer stays. */
  close(): void {
    this.#link?.end(1000, "", "ADVICE_NEVER");
    this.#finish({ code: 1000, reason: "" });
  }

  #set(state: State): void {
    this.#state = state;
    this.#states.tell(state);
  }

  #say(payload: Payload, options: SendOptions): Promise<Payload | undefined> {
    if (this.#state.status === "closed") return Promise.reject(new WsrouterError("CLOSED"));
    const answer = this.#outbox.add(this.#id(), payload, options);
    this.#flush();
    return answer;
  }

  #flush(): void {
    const isReady =
      this.#state.status === "online" && (this.#state.clientId || this.#options.anonymous);
    if (isReady) this.#outbox.flush((frame) => this.#link?.send(frame));
  }

  // ---- attempts

  #start(): void {
    this.#unwatch = (this.#options.page ?? browserPage)((usable) => {
      if (this.#link) this.#link.check();
      else if (usable && this.#state.status === "waiting") this.#hurry();
    });
    void this.#begin();
  }

  #hurry(): void {
    if (this.#clock.now() < this.#notBefore) return;
    this.#callOff();
    void this.#begin();
  }

  async #begin(): Promise<void> {
    const turn = ++this.#turn;
    if (this.#state.status !== "connecting") this.#set({ status: "connecting" });
    if (turn !== this.#turn) return; // whoever heard of it has closed it
    const why = this.#wanted;
    if (why && this.#options.credentials) {
      let fresh;
      try {
        fresh = await this.#options.credentials(why);
      } catch (error) {
        if (turn === this.#turn) this.#lost({ code: 4000, reason: `no credentials: ${error}` });
        return;
      }
      if (turn !== this.#turn) return;
      if (!fresh || (why === "refused" && isSame(fresh, this.#credentials))) {
        return this.#finish({ code: 4001, reason: "no new credentials" });
      }
      this.#credentials = fresh;
    }
    this.#wanted = undefined;
    try {
      this.#open();
    } catch (error) {
      this.#finish({ code: 1002, reason: String(error) }); // a subprotocol that is none
    }
  }

  #open(): void {
    const url = new URL(this.#url);
    for (const [name, value] of Object.entries(this.#credentials?.query ?? {})) {
      url.searchParams.set(name, value);
    }
    const protocols = [subprotocol, ...(this.#credentials?.protocols ?? [])];
    if (this.#session) protocols.push(sessionPrefix + this.#session);
    const { connectTimeoutMs = 10_000, pingIntervalMs = 25_000, pongTimeoutMs = 10_000 } =
      this.#options;
    this.#link = new Link(new this.#class(url.href, protocols), {
      clock: this.#clock,
      connectTimeoutMs,
      pingIntervalMs,
      pongTimeoutMs,
      onOpen: () => this.#rooms.opened(),
      onFrame: (kind, body) => this.#hear(kind, body),
      onEnd: (end) => this.#lost(end),
    });
  }

  #lost(end: End): void {
    this.#link = undefined;
    this.#callOffRefresh();
    const now = this.#clock.now();
    const lasted = this.#onlineSince === undefined ? 0 : now - this.#onlineSince;
    this.#onlineSince = undefined;
    this.#mover.cut();
    this.#outbox.cut();
    this.#rooms.cut();
    const plan = planOf(end);
    if (plan === "credentials") this.#wanted = "refused";
    if (plan === "never" || (plan === "credentials" && !this.#options.credentials)) {
      return this.#finish(end);
    }
    const delayMs = this.#backoff.delay(plan, lasted, end);
    this.#notBefore = now + Number(end.retryAfterMs ?? 0);
    this.#callOff = this.#clock.after(delayMs, () => void this.#begin());
    this.#set({ status: "waiting", delayMs, code: end.code, reason: end.reason });
  }

  #finish(end: End): void {
    if (this.#state.status === "closed") return;
    ++this.#turn;
    this.#callOff();
    this.#callOffRefresh();
    this.#unwatch();
    this.#session = undefined;
    this.#state = { status: "closed", code: end.code, reason: end.reason };
    this.#outbox.close();
    this.#rooms.close(new WsrouterError("CLOSED", end.reason));
    this.#states.tell(this.#state);
  }

  /** Whoever comes back to a session is not asked for credentials, so this begins another. */
  async #refresh(): Promise<void> {
    const turn = this.#turn;
    try {
      const fresh = await this.#options.credentials?.("expiring");
      if (!fresh || turn !== this.#turn || !this.#link) return;
      this.#credentials = fresh;
      this.#session = undefined;
      this.#link.end(1000, "new credentials");
    } catch {} // they are asked for again when the node closes with 4002
  }

  // ---- frames

  #hear(kind: string, body: any): void {
    if (kind === "welcome") this.#welcome(body);
    else if (kind === "msg") this.#message(body);
    else if (kind === "joined") this.#rooms.joined(body);
    else if (kind === "left") this.#rooms.left(body);
    else if (kind === "ack") this.#outbox.acked(body.id, body);
    else if (kind === "error") this.#failed(body);
    else if (kind === "gap") this.#rooms.gap(body);
    else if (kind === "presence") this.#rooms.presence(body);
    else if (kind === "notice") this.#notices.tell(body);
  }

  /** Comes again when who the client is changes. */
  #welcome({ connectionId, clientId, session, resumed = false }: any): void {
    if (this.#onlineSince === undefined) this.#refreshLater();
    else if (this.#state.status === "online") resumed = this.#state.resumed;
    this.#onlineSince ??= this.#clock.now();
    if (session || clientId) this.#session = session; // nobody yet: the old one may still be good
    this.#rooms.welcomed(resumed, Boolean(clientId));
    this.#set({ status: "online", connectionId, resumed, ...(clientId && { clientId }) });
    this.#flush();
  }

  #refreshLater(): void {
    const end = this.#credentials?.expiresAt;
    if (end === undefined || !this.#options.credentials) return;
    const wait = Math.max(end - this.#clock.now() - refreshMs, refreshMs);
    this.#callOffRefresh = this.#clock.after(wait, () => void this.#refresh());
  }

  #message(body: any): void {
    if (this.#rooms.message(body)) return;
    const room = body.room === undefined ? {} : { room: body.room };
    this.#messages.tell({ data: decode(body) ?? "", ...room, ...positionOf(body) });
  }

  #failed({ id, reason = "", text, retryAfterMs }: any): void {
    const error = new WsrouterError(reason, text, retryAfterMs);
    if (id !== undefined && !this.#outbox.failed(id, error)) this.#rooms.failed(id, error);
  }
}
