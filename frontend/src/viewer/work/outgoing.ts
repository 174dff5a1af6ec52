/**
 * Values by name that a person changes (answers, what was checked). What the server does not have yet waits in this
 * browser.
 */

import { signal, type ReadonlySignal } from "@preact/signals";
import type { Shelf } from "../../offline/intents";
import { Away, NOT_UNDERSTOOD, Problem } from "../../ground/api";

export type Values = Readonly<Record<string, unknown>>;

const PAUSE_MS = 500,
  AGAIN_MS = 5000;
/** Leaving that has not happened for this long was called off. */
const LEAVING_MS = 10_000;

export class Outgoing {
  readonly #values = signal<Values>({});
  readonly values: ReadonlySignal<Values> = this.#values;
  readonly #unsaved = signal(false);
  readonly unsaved: ReadonlySignal<boolean> = this.#unsaved;
  readonly #refused = signal<string | null>(null);
  /** Why the server does not take what waits. */
  readonly refused: ReadonlySignal<string | null> = this.#refused;
  /** What waited here from before is in `values`. */
  readonly restored: Promise<void>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #leftAt = -Infinity;

  /**
   * `server`: the values that the page came with. `send` puts changes on the server, `null` where a value was taken
   * back, and answers all values that count; it throws `Problem` where the server refuses, anything else where it was
   * not reached. `ready`: before what is kept may be read.
   */
  constructor(
    private readonly shelf: Pick<Shelf<"answer" | "check" | "mark">, "kept" | "put" | "drop">,
    server: Values,
    canChange: boolean,
    private readonly send: (changes: Values) => Promise<{ readonly values: Values }>,
    ready: Promise<void> = Promise.resolve(),
  ) {
    this.#values.value = over({}, server);
    if (typeof window !== "undefined")
      window.addEventListener("beforeunload", () => {
        this.#leftAt = performance.now();
      });
    this.restored = canChange ? ready.then(() => this.#restore()) : ready;
  }

  async #restore(): Promise<void> {
    const kept = await this.shelf.kept();
    if (!kept.length) return;
    this.#values.value = over(this.values.value, changesOf(kept));
    this.#unsaved.value = true;
    this.#later(0);
  }

  /** Empty or undefined: taken back. */
  set(changes: Values): void {
    const clean = Object.fromEntries(
      Object.entries(changes).map(([name, value]) => [name, value === "" || value === undefined ? null : value]),
    );
    this.#values.value = over(this.values.value, clean);
    this.#unsaved.value = true;
    this.#refused.value = null;
    void this.shelf.put(clean);
    this.#later(PAUSE_MS);
  }

  /**
   * Send what waits, of this tab or another, one request at a time; tries again by itself while the network is gone.
   * Rejects when it could not.
   */
  save(): Promise<void> {
    clearTimeout(this.#timer);
    const attempt = this.#writing
      .catch(() => undefined)
      .then(async () => {
        await this.restored;
        const waiting = await this.shelf.kept();
        try {
          if (waiting.length) {
            const { values } = await this.send(changesOf(waiting));
            // The next page may have been written before the server took this: what it would not show stays, and is
            // said again.
            const isLeaving = performance.now() - this.#leftAt < LEAVING_MS;
            if (isLeaving) this.#later(LEAVING_MS);
            else await this.shelf.drop(waiting);
            this.#values.value = over({ ...this.values.value, ...values }, changesOf(await this.shelf.kept()));
          }
          this.#refused.value = null;
          this.#unsaved.value = (await this.shelf.kept()).length > 0;
        } catch (error) {
          const isFinal = error instanceof Problem && !error.signedOut && error.status < 500;
          if (isFinal || (error instanceof Problem && error.code === NOT_UNDERSTOOD))
            this.#refused.value = error.message;
          if (!isFinal) this.#later(Math.max(AGAIN_MS, error instanceof Away ? error.againAfterMs : 0));
          throw error;
        }
      });
    this.#writing = attempt;
    return attempt;
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.save().catch(() => undefined), ms);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}

const changesOf = (intents: readonly { readonly name: string; readonly value: unknown }[]): Values =>
  Object.fromEntries(intents.map(({ name, value }) => [name, value]));

function over(values: Values, changes: Values): Values {
  return Object.fromEntries(Object.entries({ ...values, ...changes }).filter(([, value]) => value !== null));
}
