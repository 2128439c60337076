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
  callOff = () => {}; // of a Join that is to be sent later
  readonly #fetch: () => void; // has a Join sent before long
  #position: Position | undefined;
  #settle!: (error?: WsrouterError) => void;
  #wasIn = false;
  /** A Join brings what is behind the position, or says that it is lost; so nothing else counts. */
  #isHeld = false;
  #isAnew = false; // a gap was told, and nothing has come since
  #readTo = 0; // nothing is missing up to this offset: the history was read
  #replayed: number | undefined; // how many messages, while what was missed comes

  constructor(room: string, handlers: RoomHandlers, fetch: () => void) {
    this.room = room;
    this.handlers = handlers;
    this.#fetch = fetch;
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
    this.#isHeld = last !== undefined;
    const since = last && { offset: String(last.offset), epoch: last.epoch };
    return { join: { id, room: this.room, since } };
  }

  /** Whether it was the answer to its Join. */
  onJoined(body: any, resumed: boolean): boolean {
    if (body.id === undefined || body.id !== this.asked) return false; // a service did it
    this.asked = "";
    const now = positionOf(body.since);
    const wasHeld = this.#isHeld;
    this.#isHeld = false;
    // A room without history tells of the gap by itself where the session was resumed.
    const isWhole = wasHeld ? now && body.recovered : !this.#wasIn || resumed;
    if (!isWhole) this.#tellGap();
    else if (wasHeld && now) {
      this.#readTo = Number(body.top ?? Infinity);
      this.#replayed = 0;
    }
    // Offsets may begin anew where something was lost; else what was missed comes behind this.
    this.#position = isWhole ? now && (this.#position ?? now) : now;
    this.#wasIn = true;
    this.#settle();
    this.#catchUp();
    return true;
  }

  onMessage(body: any): void {
    const next = positionOf(body);
    if (next) {
      if (this.#isHeld) return;
      const last = this.#position;
      const isSame = !last?.epoch || last.epoch === next.epoch; // "": nothing was kept yet
      if (last && isSame && next.offset <= last.offset) return; // a copy
      if (last && !isSame && !this.#isAnew) this.#tellGap();
      const known = Math.max(last?.offset ?? Infinity, this.#readTo);
      if (isSame && next.offset > known + 1) return this.onGap();
      this.#isAnew = false;
      this.#position = next;
    }
    const data = decode(body);
    if (data === undefined && next) return this.#catchUp(); // it was for others
    if (next && this.#replayed !== undefined) ++this.#replayed;
    tell(this.handlers.onMessage, { data: data ?? "", room: this.room, ...next });
    this.#catchUp();
  }

  /** Something is missing here: it comes out of the history, or the program is told. */
  onGap(count?: number): void {
    if (this.#isHeld) return;
    if (!this.#position || this.#isAnew) return this.#tellGap(count);
    this.#isHeld = true;
    this.#replayed = undefined;
    this.#fetch();
  }

  #tellGap(count?: number): void {
    this.#isAnew = true;
    this.#readTo = 0;
    this.#replayed = undefined;
    tell(this.handlers.onGap, { room: this.room, ...(count && { count }) });
  }

  onPresence({ full = false, joined = [], left = [], count }: any): void {
    const { room, handlers } = this;
    tell(handlers.onPresence, { room, full, joined, left, count: Number(count ?? 0) });
  }

  #catchUp(): void {
    const count = this.#replayed;
    if (count === undefined || this.#position!.offset < this.#readTo) return;
    this.#replayed = undefined;
    tell(this.handlers.onCaughtUp, { room: this.room, count });
  }

  /** The connection is gone. */
  cut(): void {
    this.asked = "";
    this.#replayed = undefined;
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
