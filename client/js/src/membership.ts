// What a client holds of one room across its connections: where it is, and that the program hears
// each message once and in order, or of the gap.
import { tell } from "./events.js";
import { decode, positionOf } from "./frames.js";
import { WsrouterError, type Position, type RoomHandlers } from "./types.js";

export class Membership {
  readonly room: string;
  handlers: RoomHandlers;
  /** Settles with the first answer. */
  readonly joined: Promise<void>;
  /** Of the Join that is not answered yet. */
  asked = "";
  /** It is refused only as long as nobody has said who the client is. */
  waitsForIdentity = false;
  callOff = () => {}; // of a Join that is to be repeated
  #position: Position | undefined;
  #settle!: (error?: WsrouterError) => void;
  #wasIn = false;
  #wantsHistory = false; // by the Join that was sent last
  #isAnew = false; // a gap was told: the next message may have any offset

  constructor(room: string, handlers: RoomHandlers) {
    this.room = room;
    this.handlers = handlers;
    this.#position = handlers.since;
    this.joined = new Promise((resolve, reject) => {
      this.#settle = (error) => (error ? reject(error) : resolve());
    });
    this.joined.catch(() => {}); // whoever has onLeft need not look at it
  }

  get position(): Position | undefined {
    return this.#position;
  }

  /** The Join for this connection. */
  join(id: string): object {
    this.callOff();
    this.asked = id;
    this.waitsForIdentity = false;
    const last = this.#position;
    this.#wantsHistory = last !== undefined;
    const since = last && { offset: String(last.offset), epoch: last.epoch };
    return { join: { id, room: this.room, since } };
  }

  onJoined(body: any, resumed: boolean): void {
    if (body.id === undefined || body.id !== this.asked) return; // a service did it
    this.asked = "";
    const now = positionOf(body.since);
    // A room without history tells of the gap by itself where the session was resumed.
    const isWhole = this.#wantsHistory ? now && body.recovered : !this.#wasIn || resumed;
    if (!isWhole) this.onGap();
    // What is replayed comes behind this, so a position that is known stays.
    this.#position = now && (this.#position ?? now);
    this.#wasIn = true;
    this.#settle();
  }

  onMessage(body: any): void {
    const next = positionOf(body);
    if (next) {
      // It is in the history that the Join which is under way brings, in its order.
      if (this.asked && this.#wantsHistory) return;
      const last = this.#position;
      const isSame = last?.epoch === next.epoch;
      if (last && isSame && next.offset <= last.offset) return; // a copy
      const missing = last && isSame ? next.offset - last.offset - 1 : undefined;
      if (last && missing !== 0 && !this.#isAnew) this.onGap(missing);
      this.#isAnew = false;
      this.#position = next;
    }
    tell(this.handlers.onMessage, { data: decode(body) ?? "", room: this.room, ...next });
  }

  onGap(count?: number): void {
    this.#isAnew = true;
    tell(this.handlers.onGap, { room: this.room, ...(count && { count }) });
  }

  onPresence({ joined = [], left = [], count }: any): void {
    tell(this.handlers.onPresence, { room: this.room, joined, left, count: Number(count ?? 0) });
  }

  /** The connection is gone. */
  cut(): void {
    this.asked = "";
    this.waitsForIdentity = false;
    this.callOff();
  }

  /** The program wants it no more. */
  leave(): void {
    this.cut();
    this.handlers = {};
    this.#settle(new WsrouterError("LEFT"));
  }

  /** The program wants it, and hears why it is over. */
  end(error: WsrouterError): void {
    this.cut();
    this.#settle(error);
    tell(this.handlers.onLeft, error);
  }
}
