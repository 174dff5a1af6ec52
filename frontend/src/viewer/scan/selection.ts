/** What is chosen on the page: tool and segment, and which segments are hidden or locked. */

import { type ReadonlySignal, signal } from "@preact/signals";

export class Selection {
  readonly #tool = signal("select");
  /** Name of the chosen tool (`tools/index.ts`). */
  readonly tool: ReadonlySignal<string> = this.#tool;
  readonly #segment = signal(1);
  readonly segment: ReadonlySignal<number> = this.#segment;
  readonly #hidden = signal<ReadonlySet<number>>(new Set());
  readonly hidden: ReadonlySignal<ReadonlySet<number>> = this.#hidden;
  readonly #locked = signal<ReadonlySet<number>>(new Set());
  readonly locked: ReadonlySignal<ReadonlySet<number>> = this.#locked;
  readonly #maskShown = signal(true);
  readonly maskShown: ReadonlySignal<boolean> = this.#maskShown;

  constructor(segment: number, tool: string) {
    this.#segment.value = segment;
    this.#tool.value = tool;
  }

  takeTool(name: string): void {
    this.#tool.value = name;
  }

  drawWith(segment: number): void {
    this.#segment.value = segment;
  }

  toggleHidden(segment: number): void {
    this.#hidden.value = toggled(this.#hidden.value, segment);
  }

  toggleLocked(segment: number): void {
    this.#locked.value = toggled(this.#locked.value, segment);
  }

  showMask(shown: boolean): void {
    this.#maskShown.value = shown;
  }
}

/** A set with one member switched. */
export function toggled<T>(set: ReadonlySet<T>, member: T): ReadonlySet<T> {
  const next = new Set(set);
  if (!next.delete(member)) next.add(member);
  return next;
}
