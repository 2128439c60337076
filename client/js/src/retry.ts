// Whether and when a client comes back after its connection ended.
import type { Clock, Credentials } from "./types.js";

/** How a connection ended; of a Bye, where there was one. */
export interface End {
  code: number;
  reason: string;
  advice?: string;
  retryAfterMs?: number;
}

export type Plan = "never" | "credentials" | "at once" | "later";

const plans: Record<string, Plan> = {
  ADVICE_AT_ONCE: "at once",
  ADVICE_LATER: "later",
  ADVICE_NEW_CREDENTIALS: "credentials",
  ADVICE_NEVER: "never",
};
const never = [1000, 1002, 1003, 1007, 1008, 4003, 4020, 4021];
const atOnce = [1009, 1012, 4040];

/** By the node's advice, or by what CloseCode of router.proto says of the code. */
export function planOf(end: End): Plan {
  const advised = plans[end.advice ?? ""];
  if (advised) return advised;
  if (never.includes(end.code)) return "never";
  if (end.code === 4001 || end.code === 4002) return "credentials";
  return atOnce.includes(end.code) ? "at once" : "later";
}

/** Cookies are renewed without anything to see here, so empty ones are never the same. */
export function isSame(fresh: Credentials, old: Credentials | undefined): boolean {
  const shown = ({ query, protocols }: Credentials) => JSON.stringify([query, protocols]);
  return shown(fresh) !== shown({}) && old !== undefined && shown(fresh) === shown(old);
}

const stableMs = 10_000; // whoever was connected for so long did not fail

export class Backoff {
  readonly #clock: Clock;
  readonly #first: number;
  readonly #max: number;
  #bound: number;

  constructor(clock: Clock, firstMs: number, maxMs: number) {
    this.#clock = clock;
    this.#first = this.#bound = firstMs;
    this.#max = maxMs;
  }

  reset(): void {
    this.#bound = this.#first;
  }

  /**
   * Full jitter: those whom a node lost come back spread over the whole interval. Only who was
   * connected for a while may be back at once, so who is always turned away does not hammer.
   */
  delay(plan: Plan, lastedMs: number, end: End): number {
    const asked = Number(end.retryAfterMs ?? 0);
    const stable = lastedMs >= stableMs;
    if (stable) this.reset();
    if (stable && plan !== "later") return asked;
    const random = this.#clock.random() * this.#bound;
    this.#bound = Math.min(this.#bound * 2, this.#max);
    return asked + random;
  }
}
