import { Client } from "./client.js";
import type { Options } from "./types.js";

/** Connects, and stays connected until `close()`. A relative URL is of the page. */
export function connect(url: string, options: Options = {}): Client {
  return new Client(url, options);
}

export { WsrouterError } from "./types.js";
export type { Client } from "./client.js";
export type {
  CaughtUp,
  Clock,
  Credentials,
  CredentialsReason,
  Gap,
  Message,
  Notice,
  Options,
  Page,
  Payload,
  Position,
  Presence,
  Room,
  RoomHandlers,
  SendOptions,
  State,
  WebSocketClass,
  WebSocketLike,
} from "./types.js";
