/** Answers to the questions of the label schema. What the server does not have yet waits in this browser, over a reload too. */

import { signal } from "@preact/signals";
import { Problem } from "./api";
import { Kept } from "./kept";

type Values = Readonly<Record<string, unknown>>;

const PAUSE_MS = 500, AGAIN_MS = 5000;

/** Where the answers of one person's scan wait in this browser. */
export const answersKey = (user: string, assignment: string): string => `voxloop.answers.${user}.${assignment}`;

export class Answers {
  readonly values = signal<Values>({});
  readonly unsaved = signal(false);
  /** Answered since the last save, null where an answer was taken back. */
  readonly #waiting: Kept<Values>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> = Promise.resolve();

  /**
   * `key`: see `answersKey`. `server`: the answers that the page came with. `send` puts all answers on the server and throws `Problem` where it refuses, anything
   * else where it was not reached. `refused` hears of refusals, `waits` which answers the server still lacks: null when it has them.
   */
  constructor(
    key: string, server: Values, canAnswer: boolean, private readonly send: (values: Values) => Promise<unknown>,
    private readonly refused: (why: string) => void,
    private readonly waits: (values: Values | null) => void = () => undefined, store?: ConstructorParameters<typeof Kept>[1],
  ) {
    this.#waiting = new Kept<Values>(key, store);
    const waiting = canAnswer ? this.#waiting.value : null;
    this.values.value = over(server, waiting ?? {});
    if (waiting) {
      this.unsaved.value = true;
      this.#later(0);
    }
  }

  set(key: string, value: unknown): void {
    const answer = value === "" || value === undefined ? null : value;
    this.values.value = over(this.values.value, { [key]: answer });
    this.#waiting.value = { ...this.#waiting.value, [key]: answer };
    this.unsaved.value = true;
    this.waits(this.values.value);
    this.#later(PAUSE_MS);
  }

  /** Send what waits, one request at a time; tries again by itself while the network is gone. Rejects when it could not. */
  save(): Promise<void> {
    clearTimeout(this.#timer);
    const attempt = this.#writing.catch(() => undefined).then(async () => {
      const waiting = this.#waiting.value;
      if (!this.unsaved.value) return;
      try {
        await this.send(this.values.value);
        if (this.#waiting.value === waiting) {
          this.#waiting.value = null;
          this.unsaved.value = false;
          this.waits(null);
        }
      } catch (error) {
        if (error instanceof Problem && !error.signedOut) this.refused(error.message);
        else this.#later(AGAIN_MS);
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

  close(): void { clearTimeout(this.#timer); }
}

function over(values: Values, changes: Values): Values {
  return Object.fromEntries(Object.entries({ ...values, ...changes }).filter(([, value]) => value !== null));
}
