/**
 * One tab writes a line of work. Web Locks decide where the browser has them (secure pages); elsewhere the tabs ask
 * each other over a BroadcastChannel. Behind both stands the journal's epoch, which refuses the writes of a loser.
 */

export interface Platform {
  readonly locks: Pick<LockManager, "request"> | null;
  channel(name: string): BroadcastChannel;
}

export const browserPlatform = (): Platform => ({
  locks: (globalThis.navigator as Navigator | undefined)?.locks ?? null,
  channel: (name) => new BroadcastChannel(name),
});

type Word = "who" | "mine" | "yield" | "yielded";

/** How long a living tab may take to answer, a writing one to put its strokes away, the lock of a dead one to go. */
const ANSWER_MS = 200;
const YIELD_MS = 2_000;
const RELEASE_MS = 3_000;

/** Does it while no tab writes the line; not at all where one does. */
export async function whenNobodyWrites(line: string, work: () => Promise<void>): Promise<void> {
  const signal = AbortSignal.timeout(RELEASE_MS);
  await navigator.locks.request(`voxloop:${line}`, { signal }, work).catch((error: unknown) => {
    if (error !== signal.reason) throw error;
  });
}

export class Ownership {
  readonly #channel: BroadcastChannel;
  readonly #name: string;
  #owned = false;
  #release: (() => void) | null = null;
  #heard: ((word: Word) => void) | null = null;

  /** `yieldTo` is called when another tab takes over: put everything away, then resolve. */
  constructor(
    line: string,
    private readonly platform: Platform,
    private readonly yieldTo: () => Promise<void>,
  ) {
    this.#name = `voxloop:${line}`;
    this.#channel = platform.channel(this.#name);
    this.#channel.onmessage = (event: MessageEvent<Word>) => void this.#hear(event.data);
  }

  /** Takes the line if nobody holds it. */
  async acquire(): Promise<boolean> {
    if (this.#owned) return true;
    const { locks } = this.platform;
    if (locks && (await this.#lock(locks, { ifAvailable: true }))) return true;
    if (await this.#ask("who", "mine", ANSWER_MS)) return false;
    // Nobody answers: the page that held the lock is gone, and WebKit lets go of it a while after the next one opens.
    if (locks) return this.#lock(locks, { signal: AbortSignal.timeout(RELEASE_MS) });
    this.#owned = true;
    return true;
  }

  /** Takes the line from whoever holds it; a tab that does not answer is overruled. */
  async takeOver(): Promise<void> {
    if (this.#owned) return;
    await this.#ask("yield", "yielded", YIELD_MS);
    const { locks } = this.platform;
    if (locks) {
      if (!(await this.#lock(locks, { ifAvailable: true }))) await this.#lock(locks, { steal: true });
    }
    this.#owned = true;
  }

  close(): void {
    this.#owned = false;
    this.#release?.();
    this.#channel.close();
  }

  #lock(locks: Pick<LockManager, "request">, options: LockOptions): Promise<boolean> {
    return new Promise((resolve) => {
      const held = locks.request(this.#name, options, (lock) => {
        if (!lock) {
          resolve(false);
          return undefined;
        }
        this.#owned = true;
        resolve(true);
        return new Promise<void>((release) => {
          this.#release = release;
        });
      });
      // A stolen lock rejects: the other tab has overruled this one. One that does not come in time rejects, too.
      void Promise.resolve(held).catch(() => {
        resolve(false);
        if (this.#owned) {
          this.#owned = false;
          void this.yieldTo();
        }
      });
    });
  }

  #ask(question: Word, answer: Word, ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#heard = null;
        resolve(false);
      }, ms);
      this.#heard = (word) => {
        if (word !== answer) return;
        clearTimeout(timer);
        this.#heard = null;
        resolve(true);
      };
      this.#channel.postMessage(question);
    });
  }

  async #hear(word: Word): Promise<void> {
    if (word === "who" && this.#owned) this.#channel.postMessage("mine" satisfies Word);
    else if (word === "yield" && this.#owned) {
      this.#owned = false;
      await this.yieldTo();
      this.#release?.();
      this.#release = null;
      this.#channel.postMessage("yielded" satisfies Word);
    } else this.#heard?.(word);
  }
}
