/**
 * Tells the server that somebody works on the scan, when they were active and what they saw. What it does not have
 * yet waits in this browser; leaving the page sends the rest.
 */

import { uuid } from "../../editor/uuid";
import { call, csrfHeaders, Problem } from "../../ground/api";
import { reportOf } from "../../offline/activity";
import type { Activity, Period, Shelf } from "../../offline/intents";

const BEAT_MS = 30_000;
/** So much is lost at most when a page ends without a network. */
const KEEP_MS = 5000;
/** Without a key, a move or a wheel for this long, time does not count as work. */
const IDLE_MS = 60_000;

/** When somebody was active, by the signs they gave. */
export class Presence {
  #periods: Period[] = [];
  /** Counted up to here; null while nobody is at work. */
  #since: number | null = null;
  #lastSign = -Infinity;

  /** Somebody moved, pressed or scrolled. */
  sign(now: number): void {
    this.#count(now);
    this.#lastSign = now;
    this.#since ??= now;
  }

  /** The window is hidden, or another one is worked in. */
  rest(now: number): void {
    this.#count(now);
    this.#since = null;
  }

  /** The periods up to now that were not taken before. */
  take(now: number): readonly Period[] {
    this.#count(now);
    const taken = this.#periods;
    this.#periods = [];
    return taken;
  }

  #count(now: number): void {
    if (this.#since === null) return;
    const end = Math.min(now, this.#lastSign + IDLE_MS);
    if (end > this.#since) this.#periods = joined([...this.#periods, [this.#since, end]]);
    this.#since = end < now ? null : now;
  }
}

/** Periods in order, one where they touch. */
export function joined(periods: readonly Period[]): Period[] {
  const found: Period[] = [];
  for (const [from, to] of [...periods].sort((a, b) => a[0] - b[0])) {
    const last = found.at(-1);
    if (last && from <= last[1]) found[found.length - 1] = [last[0], Math.max(last[1], to)];
    else found.push([from, to]);
  }
  return found;
}

export class Beat {
  readonly #presence = new Presence();
  #unsent: readonly Period[] = [];
  #isKept = false;
  /** Each page keeps its own, so that two tabs do not overwrite each other. */
  readonly #page = uuid();
  #sentAt = Date.now();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #leaving = new AbortController();

  /**
   * `looked`: what was seen of it until now. `isWanted`: the scan is this person's to hold. `signedOut`: the server
   * does not know us any more.
   */
  constructor(
    private readonly url: string,
    private readonly shelf: Pick<Shelf<"activity">, "kept" | "put" | "remove" | "drop">,
    private readonly looked: () => Omit<Activity, "periods">,
    private readonly isWanted: () => boolean,
    private readonly signedOut: () => void,
  ) {
    const options = { passive: true, capture: true, signal: this.#leaving.signal };
    const sign = () => {
      if (!document.hidden) this.#presence.sign(Date.now());
    };
    for (const name of ["pointermove", "pointerdown", "keydown", "wheel"]) addEventListener(name, sign, options);
    addEventListener("blur", () => this.#presence.rest(Date.now()), options);
    document.addEventListener(
      "visibilitychange",
      () => {
        if (document.hidden) this.#leave();
        else sign();
      },
      options,
    );
    addEventListener("pagehide", () => this.#leave(), options);
    sign();
    this.#timer = setInterval(() => void this.#tick(), KEEP_MS);
    void this.#sendOlder();
  }

  /** What a page before this one left here. */
  async #sendOlder(): Promise<void> {
    for (const one of await this.shelf.kept().catch(() => [])) {
      if (one.name === this.#page || !this.isWanted()) continue;
      const isSent = await this.#post(one.value).catch(() => false);
      if (isSent) await this.shelf.drop([one]);
    }
  }

  async #tick(): Promise<void> {
    if (!this.isWanted()) return;
    if (Date.now() - this.#sentAt >= BEAT_MS) await this.send().catch(() => undefined);
    // The last report did not arrive: what came since waits here with it.
    else if (this.#isKept) await this.#keep();
  }

  #take(): Activity {
    this.#unsent = joined([...this.#unsent, ...this.#presence.take(Date.now())]);
    return { periods: this.#unsent, ...this.looked() };
  }

  /** Send what is not sent yet. Throws `TypeError` without a network: then it waits in this browser. */
  async send(): Promise<void> {
    this.#sentAt = Date.now();
    const report = this.#take();
    try {
      await this.#post(report);
    } catch (error) {
      await this.#keep();
      throw error;
    }
    this.#unsent = this.#unsent.filter((period) => !report.periods.includes(period));
    if (this.#isKept) await this.shelf.remove([this.#page]);
    this.#isKept = false;
  }

  /** Answers whether it needs to be sent no more. */
  async #post(report: Activity): Promise<boolean> {
    try {
      await call("POST", this.url, reportOf(report));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.signedOut) this.signedOut();
      return !error.signedOut;
    }
    return true;
  }

  async #keep(): Promise<void> {
    this.#isKept = true;
    await this.shelf.put({ [this.#page]: this.#take() });
  }

  /** The page may end now: a request that outlives it, and again with the next page if it did not arrive. */
  #leave(): void {
    this.#presence.rest(Date.now());
    if (!this.isWanted()) return;
    const report = this.#take();
    if (!report.periods.length) return;
    if (this.#isKept || !navigator.onLine) {
      void this.#keep();
      return;
    }
    const headers = { "Content-Type": "application/json", ...csrfHeaders() };
    const body = JSON.stringify(reportOf(report));
    fetch(this.url, { method: "POST", keepalive: true, headers, body }).catch(() => this.#keep());
  }

  close(): void {
    clearInterval(this.#timer);
    this.#leaving.abort();
  }
}
