// Messages that nobody has answered yet, in the order in which they were sent. Each settles once.
import { decode, encode } from "./frames.js";
import { WsrouterError, type Clock, type Payload, type SendOptions } from "./types.js";

interface Item {
  frame: object;
  idempotent: boolean;
  isOut: boolean;
  settle(error: WsrouterError | undefined, reply?: Payload): void;
}

export class Outbox {
  readonly #items = new Map<string, Item>();
  readonly #max: number;
  readonly #clock: Clock;
  readonly #onAnswered: () => void;

  constructor(max: number, clock: Clock, onAnswered: () => void) {
    this.#max = max;
    this.#clock = clock;
    this.#onAnswered = onAnswered;
  }

  add(id: string, payload: Payload, options: SendOptions): Promise<Payload | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#items.size >= this.#max) return reject(new WsrouterError("QUEUE_FULL"));
      let callOff = () => {};
      const settle = (error: WsrouterError | undefined, reply?: Payload) => {
        callOff();
        this.#items.delete(id);
        error ? reject(error) : resolve(reply);
        this.#onAnswered();
      };
      this.#items.set(id, {
        frame: { message: { id, room: options.room, ...encode(payload) } },
        idempotent: options.idempotent ?? false,
        isOut: false,
        settle,
      });
      if (options.timeout !== undefined) {
        callOff = this.#clock.after(options.timeout, () => settle(new WsrouterError("TIMEOUT")));
      }
    });
  }

  /** Whether something was sent that nobody has answered. */
  get isOut(): boolean {
    return [...this.#items.values()].some(({ isOut }) => isOut);
  }

  flush(send: (frame: object) => void): void {
    for (const item of this.#items.values()) {
      if (item.isOut) continue;
      item.isOut = true;
      send(item.frame);
    }
  }

  acked(id: string, body: any): void {
    this.#items.get(id)?.settle(undefined, decode(body));
  }

  /** Whether it was an answer to a message. */
  failed(id: string, error: WsrouterError): boolean {
    const item = this.#items.get(id);
    item?.settle(error);
    return item !== undefined;
  }

  /** The connection is gone: what waits stays, what was out has an open fate. */
  cut(): void {
    for (const item of [...this.#items.values()]) {
      if (!item.isOut) continue;
      if (item.idempotent) item.isOut = false;
      else item.settle(new WsrouterError("UNCERTAIN"));
    }
  }

  close(): void {
    for (const item of [...this.#items.values()]) item.settle(new WsrouterError("CLOSED"));
  }
}
