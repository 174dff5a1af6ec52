/** What the page tells the person, one notice at a time. */

import { effect, type ReadonlySignal, signal } from "@preact/signals";

export type Tone = "info" | "warn" | "bad";

export interface Notice {
  readonly text: string;
  readonly tone: Tone;
}

export class Notices {
  readonly #now = signal<Notice | null>(null);
  readonly now: ReadonlySignal<Notice | null> = this.#now;
  #forget: () => void = () => undefined;

  /** `holds` tells whether the reason is still there: the notice goes with it. */
  say(text: string, tone: Tone = "info", holds?: () => boolean): void {
    this.#forget();
    const notice = { text, tone };
    this.#now.value = notice;
    this.#forget = holds ? this.#watch(notice, holds) : () => undefined;
  }

  #watch(notice: Notice, holds: () => boolean): () => void {
    return effect(() => {
      if (holds()) return;
      queueMicrotask(() => {
        if (this.#now.peek() === notice) this.dismiss();
      });
    });
  }

  /** What was said of the last step holds no more: it was undone or done again. */
  expire(): void {
    if (this.now.value?.tone !== "bad") this.dismiss();
  }

  dismiss(): void {
    this.#forget();
    this.#forget = () => undefined;
    this.#now.value = null;
  }
}
