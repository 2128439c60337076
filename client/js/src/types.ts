// What a program says and hears. Nothing here does anything but `WsrouterError`.

/** A text arrives as a text, octets as octets. */
export type Payload = string | Uint8Array;

/** Where somebody is in a room that keeps history. */
export interface Position {
  offset: number;
  epoch: string;
}

export interface Message {
  data: Payload;
  /** Absent: it was sent to this client, to this connection, or to everybody. */
  room?: string;
  /** Of rooms with history: grows by one from message to message, within an epoch. */
  offset?: number;
  epoch?: string;
}

/** Messages of a room are lost for good: what the program knows of it should be fetched anew. */
export interface Gap {
  room: string;
  /** How many, where that is known. */
  count?: number;
}

/** What was missed, without a connection or on a slow one, has come out of the history. */
export interface CaughtUp {
  room: string;
  /** How many messages that were; each was told by `onMessage`. */
  count: number;
}

/** Who came and went within the last second or so, and how many are in the room now. */
export interface Presence {
  room: string;
  /**
   * `joined` are all who are in the room, as far as the node names them: nobody, with a count,
   * where they are too many. Otherwise only what has changed.
   */
  full: boolean;
  joined: string[];
  left: string[];
  count: number;
}

/** Something that the node lets its clients know. */
export interface Notice {
  /** "draining": it will close this connection. The library goes to another node before. */
  kind: string;
  text?: string;
  /** Within which time. */
  withinMs?: number;
}

export type State =
  /** The first attempt, or the next, is under way. */
  | { status: "connecting" }
  /** `clientId`: absent while no service has said who this is. `resumed`: nothing was forgotten. */
  | { status: "online"; connectionId: string; clientId?: string; resumed: boolean }
  /** The connection ended, and the next attempt is `delayMs` away. */
  | { status: "waiting"; delayMs: number; code: number; reason: string }
  /** For good, until `reconnect()`. */
  | { status: "closed"; code: number; reason: string };

/** What a client shows at the upgrade. Cookies go along by themselves, and need none of this. */
export interface Credentials {
  /** Added to the query of the URL, such as `{ token }`. */
  query?: Record<string, string>;
  /** Offered as subprotocols, such as `["bearer." + token]`. */
  protocols?: string[];
  /** When they end (milliseconds, as `Date.now()`); some time before, new ones are asked for. */
  expiresAt?: number;
}

/** Why credentials are wanted: for the first time, because they will end, or since they failed. */
export type CredentialsReason = "first" | "expiring" | "refused";

export interface RoomHandlers {
  /** In order, each once. */
  onMessage?: (message: Message) => void;
  onPresence?: (presence: Presence) => void;
  onGap?: (gap: Gap) => void;
  /** In rooms with history, after a reconnect too: nothing is missing any more. */
  onCaughtUp?: (caughtUp: CaughtUp) => void;
  /** The membership ended, or could not begin, otherwise than by `leave()`. */
  onLeft?: (error: WsrouterError) => void;
  /** What was pushed after this is replayed first (rooms with history). */
  since?: Position;
}

export interface SendOptions {
  /** What it is about; the services get to know. */
  room?: string;
  /** It may arrive twice, so it is sent again where a cut left open whether it had arrived. */
  idempotent?: boolean;
  /** Milliseconds until it is given up (TIMEOUT). */
  timeout?: number;
}

/** A room that was joined by `Client.join`. */
export interface Room {
  readonly name: string;
  /** Resolves when it is a member for the first time; rejects where it cannot become one. */
  readonly joined: Promise<void>;
  /** Of the last message, in rooms with history: what `since` takes. */
  readonly position: Position | undefined;
  send(payload: Payload, options?: SendOptions): Promise<void>;
  request(payload: Payload, options?: SendOptions): Promise<Payload | undefined>;
  /** Nothing of the room is heard from now on. Resolves when the node says so, too. */
  leave(): Promise<void>;
}

/** As the global one, and the class of the package ws. */
export type WebSocketClass = new (url: string, protocols: string[]) => WebSocketLike;

export interface WebSocketLike {
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

/** Time and chance, for tests. */
export interface Clock {
  /** Milliseconds, as `Date.now()`. */
  now(): number;
  /** At least 0, below 1. */
  random(): number;
  /** Runs `run` later; what is returned calls it off. */
  after(ms: number, run: () => void): () => void;
}

/**
 * Tells whenever somebody starts or stops looking at the page, or the network comes or goes;
 * `usable` is whether an attempt is worth it now. What is returned stops that.
 */
export type Page = (changed: (usable: boolean) => void) => () => void;

export interface Options {
  /** Asked before the first attempt, before they end, after they failed. null: there are none. */
  credentials?: (
    why: CredentialsReason,
  ) => Credentials | null | undefined | Promise<Credentials | null | undefined>;
  /** Where there is no global one (Node.js before 22), or another is wanted. */
  WebSocket?: WebSocketClass;
  /** How many messages may be unanswered, those that wait for a connection included. */
  queueMax?: number;
  /** Messages go out even while no service has said who this client is. */
  anonymous?: boolean;
  /** The bound of the random delay, and what it doubles to. */
  backoff?: { firstMs?: number; maxMs?: number };
  /** An attempt that took longer has failed. */
  connectTimeoutMs?: number;
  pingIntervalMs?: number;
  /** A connection that was silent for so long after a ping is given up. */
  pongTimeoutMs?: number;
  clock?: Clock;
  page?: Page;
}

/**
 * `reason` is the node's (JOIN_FORBIDDEN, MESSAGE_UNHEARD, ...), or one of this library:
 * QUEUE_FULL; TIMEOUT; CLOSED; LEFT: a service, or the program, ended the membership; UNCERTAIN:
 * the connection was cut between a message and its answer, so it may have arrived or not.
 */
export class WsrouterError extends Error {
  readonly reason: string;
  /** When the same may succeed. Absent: it would fail again. */
  readonly retryAfterMs?: number;

  constructor(reason: string, text?: string, retryAfterMs?: number) {
    super(text ? `${reason}: ${text}` : reason);
    this.name = "WsrouterError";
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}
