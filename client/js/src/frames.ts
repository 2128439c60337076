// JSON frames of wsrouter.v1.json. Integers of 64 bits may come as numbers or as texts.
import type { Payload, Position } from "./types.js";

export const subprotocol = "wsrouter.v1.json";
export const sessionPrefix = "wsrouter.session.";

export function encode(payload: Payload): { text: string } | { binary: string } {
  if (typeof payload === "string") return { text: payload };
  let octets = "";
  for (const octet of payload) octets += String.fromCharCode(octet);
  return { binary: btoa(octets) };
}

export function decode(body: any): Payload | undefined {
  if (body.binary === undefined) return body.text;
  return Uint8Array.from(atob(body.binary), (octet) => octet.charCodeAt(0));
}

/** undefined where there is no offset: the room keeps no history. */
export function positionOf(body: any): Position | undefined {
  if (body?.offset === undefined) return undefined;
  return { offset: Number(body.offset), epoch: String(body.epoch ?? "") };
}
