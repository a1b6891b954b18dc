/**
 * Money that may be spent. Before a request is sent, the most that it can cost is set aside; when the answer is there, what
 * it did cost is booked and the rest freed. The sum of what is booked and set aside never passes the limit, whatever the
 * number of requests under way. A request that does not fit now, but may when others have freed what they did not use,
 * waits for them.
 */
import { UsageError } from "../util/errors.ts";
import { BudgetError } from "./errors.ts";

/** Money set aside for one request. */
export interface Reservation {
  /** Books what was spent, once; 0 when nothing was. */
  settle(usd: number): void;
}

/** Limits of a budget. */
export interface BudgetOptions {
  /** Most that may be spent, in US dollars; without it nothing is held back. */
  readonly maxUsd?: number | undefined;
  /** What the same run has spent already. Default 0. */
  readonly spentUsd?: number;
}

interface Waiting {
  readonly usd: number;
  readonly resolve: (reservation: Reservation) => void;
  readonly reject: (error: unknown) => void;
}

/** Rounding of sums; a thousandth of the smallest price of one token. */
const TOLERANCE_USD = 1e-11;

/** A budget shared by all requests of a run. */
export class Budget {
  readonly maxUsd: number | undefined;
  #spentUsd: number;
  #heldUsd = 0;
  #waiting: Waiting[] = [];

  constructor(options: BudgetOptions = {}) {
    this.maxUsd = options.maxUsd;
    this.#spentUsd = options.spentUsd ?? 0;
  }

  /** Booked so far, in US dollars. */
  get spentUsd(): number {
    return this.#spentUsd;
  }

  /** Set aside for requests under way. */
  get heldUsd(): number {
    return this.#heldUsd;
  }

  /**
   * Sets money aside; waits while only what is under way stands against it.
   * @param usd the most that the request can cost; undefined when the price is unknown
   * @throws BudgetError `budget.exhausted` when it would pass the limit even if all that is under way cost nothing
   * @throws UsageError `usage.price_unknown` when there is a limit and no price
   */
  reserve(usd: number | undefined): Promise<Reservation> {
    if (this.maxUsd === undefined) return Promise.resolve(this.#hold(usd ?? 0));
    if (usd === undefined) return Promise.reject(priceUnknown(this.maxUsd));
    if (this.#exceeds(usd)) return Promise.reject(this.#exhausted(usd));
    if (this.#waiting.length === 0 && this.#fits(usd)) return Promise.resolve(this.#hold(usd));
    return new Promise((resolve, reject) => this.#waiting.push({ usd, resolve, reject }));
  }

  /** Sets money aside at once for work that is already paid for or under way elsewhere, whatever the limit. */
  hold(usd: number | undefined): Reservation {
    return this.#hold(usd ?? 0);
  }

  /** True when `usd` more could be set aside now. */
  hasRoom(usd: number): boolean {
    return this.maxUsd === undefined || this.#fits(usd);
  }

  #fits(usd: number): boolean {
    return this.#spentUsd + this.#heldUsd + usd <= (this.maxUsd ?? Infinity) + TOLERANCE_USD;
  }

  #exceeds(usd: number): boolean {
    return this.#spentUsd + usd > (this.maxUsd ?? Infinity) + TOLERANCE_USD;
  }

  #hold(usd: number): Reservation {
    this.#heldUsd += usd;
    let open = true;
    return {
      settle: (spentUsd) => {
        if (!open) return;
        open = false;
        this.#heldUsd -= usd;
        this.#spentUsd += spentUsd;
        this.#admit();
      },
    };
  }

  #admit(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const entry of waiting) {
      if (this.#exceeds(entry.usd)) entry.reject(this.#exhausted(entry.usd));
      else if (this.#waiting.length === 0 && this.#fits(entry.usd)) {
        entry.resolve(this.#hold(entry.usd));
      } else this.#waiting.push(entry);
    }
  }

  #exhausted(usd: number): BudgetError {
    const spent = formatUsd(this.#spentUsd);
    return new BudgetError(
      `the budget of ${formatUsd(this.maxUsd ?? 0)} is used up: ${spent} spent, and the next request can cost up to ${formatUsd(usd)}`,
      {
        code: "budget.exhausted",
        hint: "raise --max-cost-usd and run the same command again: every answer so far is kept and costs nothing",
      },
    );
  }
}

function priceUnknown(maxUsd: number): UsageError {
  return new UsageError(
    `a budget of ${formatUsd(maxUsd)} cannot be kept: the price of this model is unknown`,
    {
      code: "usage.price_unknown",
      hint: "give the price with --prices FILE (docs/methods/llm.md has the form), or leave out --max-cost-usd",
    },
  );
}

/** Dollars with as many digits as matter. */
export function formatUsd(usd: number): string {
  if (usd !== 0 && Math.abs(usd) < 0.01) return `$${usd.toPrecision(2)}`;
  return `$${usd.toFixed(2)}`;
}
