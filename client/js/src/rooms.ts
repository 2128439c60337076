// The rooms that the program joined, and those that it leaves, across connections.
import { Membership } from "./membership.js";
import { WsrouterError, type Clock, type RoomHandlers } from "./types.js";

export interface RoomsOptions {
  clock: Clock;
  nextId(): string;
  /** Does nothing without a connection. */
  send(frame: object): void;
}

const fetchMs = 1000; // within which what is missing is asked for: whom it hit is not alone

export class Rooms {
  readonly #options: RoomsOptions;
  readonly #memberships = new Map<string, Membership>();
  readonly #leaving = new Map<string, { id: string; done: () => void }>();
  #resumed = false; // this connection

  constructor(options: RoomsOptions) {
    this.#options = options;
  }

  join(room: string, handlers: RoomHandlers): Membership {
    if (this.#memberships.has(room)) throw new TypeError(`room ${room} is joined already`);
    const membership: Membership = new Membership(room, handlers, () =>
      this.#joinLater(membership, fetchMs * this.#options.clock.random()),
    );
    this.#memberships.set(room, membership);
    this.#join(membership);
    return membership;
  }

  leave(membership: Membership): Promise<void> {
    const room = membership.room;
    if (this.#memberships.get(room) !== membership) return Promise.resolve();
    this.#memberships.delete(room);
    membership.leave();
    const before = this.#leaving.get(room);
    const id = this.#options.nextId();
    return new Promise((resolve) => {
      const done = () => {
        before?.done();
        resolve();
      };
      this.#leaving.set(room, { id, done });
      this.#options.send({ leave: { id, room } });
    });
  }

  /** Nothing is awaited: the node takes these one behind the other. */
  opened(): void {
    this.#resumed = false;
    for (const [room, { id }] of this.#leaving) this.#options.send({ leave: { id, room } });
    for (const one of this.#memberships.values()) this.#join(one);
  }

  welcomed(resumed: boolean, isSomebody: boolean): void {
    this.#resumed = resumed;
    for (const one of this.#memberships.values()) {
      if (isSomebody && one.waitsForIdentity) this.#join(one);
    }
  }

  cut(): void {
    for (const one of this.#memberships.values()) one.cut();
  }

  /** For good. */
  close(error: WsrouterError): void {
    const memberships = [...this.#memberships.values()];
    this.#memberships.clear();
    for (const one of memberships) one.end(error);
    for (const { done } of this.#leaving.values()) done();
    this.#leaving.clear();
  }

  /** Whether it is of a room that the program knows. */
  message(body: any): boolean {
    const membership = this.#memberships.get(body.room);
    membership?.onMessage(body);
    return membership !== undefined || this.#leaving.has(body.room);
  }

  joined(body: any): void {
    const membership = this.#memberships.get(body.room);
    const isAnswer = membership?.onJoined(body, this.#resumed);
    if (!isAnswer || !membership?.handlers.onPresence) return;
    const id = this.#options.nextId();
    this.#options.send({ presence: { id, room: body.room, on: true } });
  }

  left(body: any): void {
    const { id, room } = body;
    const leaving = this.#leaving.get(room);
    if (leaving?.id === id) {
      this.#leaving.delete(room);
      leaving?.done();
    }
    const membership = this.#memberships.get(room);
    if (id === undefined && membership) this.#end(membership, new WsrouterError("LEFT"));
  }

  gap(body: any): void {
    const count = body.count === undefined ? undefined : Number(body.count);
    for (const one of this.#memberships.values()) {
      if (body.room === undefined || body.room === one.room) one.onGap(count);
    }
  }

  presence(body: any): void {
    this.#memberships.get(body.room)?.onPresence(body);
  }

  /** An Error; nothing happens where it does not answer a Join. */
  failed(id: string, error: WsrouterError): void {
    const one = [...this.#memberships.values()].find(({ asked }) => asked === id);
    if (!one) return;
    one.asked = "";
    if (error.reason === "CONNECTION_NOT_OWNED") one.waitsForIdentity = true;
    else if (error.retryAfterMs === undefined) this.#end(one, error);
    else this.#joinLater(one, error.retryAfterMs * (1 + this.#options.clock.random()));
  }

  #joinLater(membership: Membership, ms: number): void {
    membership.callOff();
    membership.callOff = this.#options.clock.after(ms, () => this.#join(membership));
  }

  #join(membership: Membership): void {
    this.#options.send(membership.join(this.#options.nextId()));
  }

  #end(membership: Membership, error: WsrouterError): void {
    this.#memberships.delete(membership.room);
    membership.end(error);
  }
}
