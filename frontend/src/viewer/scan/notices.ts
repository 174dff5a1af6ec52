/** What the page tells the person, one notice at a time. */

import { type ReadonlySignal, signal } from "@preact/signals";

export type Tone = "info" | "warn" | "bad";

export interface Notice {
  readonly text: string;
  readonly tone: Tone;
}

export class Notices {
  readonly #now = signal<Notice | null>(null);
  readonly now: ReadonlySignal<Notice | null> = this.#now;

  say(text: string, tone: Tone = "info"): void {
    this.#now.value = { text, tone };
  }

  /** What was said of the last step holds no more: it was undone or done again. */
  expire(): void {
    if (this.now.value?.tone !== "bad") this.dismiss();
  }

  dismiss(): void {
    this.#now.value = null;
  }
}
