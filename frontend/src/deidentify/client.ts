/** The worker, as the page calls it. */

import type { Answer, Calls, Name } from "./calls";
import { Refusal } from "./refusal";

interface Waiting {
  readonly give: (value: never) => void;
  readonly refuse: (error: Refusal) => void;
  readonly onProgress: (done: number, of: number) => void;
}

export class Client {
  readonly #worker = new Worker(new URL("./deidentify.worker.ts", import.meta.url), {
    type: "module",
    name: "deidentify",
  });
  readonly #waiting = new Map<number, Waiting>();
  #asks = 0;

  constructor() {
    this.#worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => this.#hear(data));
    this.#worker.addEventListener("error", () => {
      const error = new Refusal("page_failed", "The page cannot work with files in this browser; reload it.");
      for (const { refuse } of this.#waiting.values()) refuse(error);
      this.#waiting.clear();
    });
  }

  /** Throws `Refusal`. */
  ask<K extends Name>(
    name: K,
    take: Calls[K]["take"],
    onProgress: (done: number, of: number) => void = () => {},
  ): Promise<Calls[K]["give"]> {
    const ask = ++this.#asks;
    return new Promise((give, refuse) => {
      this.#waiting.set(ask, { give, refuse, onProgress });
      this.#worker.postMessage({ ask, name, take });
    });
  }

  #hear(answer: Answer): void {
    const waiting = this.#waiting.get(answer.ask);
    if (!waiting) return;
    if ("done" in answer) return waiting.onProgress(answer.done, answer.of);
    this.#waiting.delete(answer.ask);
    if ("code" in answer) waiting.refuse(new Refusal(answer.code, answer.sentence));
    else waiting.give(answer.give as never);
  }
}
