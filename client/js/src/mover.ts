// Takes a client away from a node that empties itself, before that closes: each client at a moment
// of its own, and when nothing is unanswered, so that nothing becomes uncertain.
import type { Clock, Notice } from "./types.js";

export class Mover {
  readonly #clock: Clock;
  readonly #isBusy: () => boolean; // something is unanswered
  readonly #leave: () => void;
  #isDue = false;
  #callOff = () => {};

  constructor(clock: Clock, isBusy: () => boolean, leave: () => void) {
    this.#clock = clock;
    this.#isBusy = isBusy;
    this.#leave = leave;
  }

  readonly noticed = ({ kind, withinMs }: Notice): void => {
    if (kind !== "draining") return;
    this.#callOff();
    this.#callOff = this.#clock.after(this.#clock.random() * Number(withinMs ?? 0), () => {
      this.#isDue = true;
      this.answered();
    });
  };

  /** Something that was out is answered, or given up. */
  answered(): void {
    if (this.#isDue && !this.#isBusy()) this.#leave();
  }

  /** The connection is gone. */
  cut(): void {
    this.#callOff();
    this.#isDue = false;
  }
}
