/**
 * Which axial slices of the scan were looked at: shown at full resolution, thin and straight, for long enough to be
 * seen. One bit a slice; earlier sessions and other tabs count too.
 */

import { type ReadonlySignal, signal } from "@preact/signals";
import type { Lesion } from "../../editor/types";

/**
 * Ten slices a second is as fast as chest CTs are paged through by hand when one looks for something; what flies by
 * faster (a dragged slider, a held key: 16 to 33 ms a slice) was on the screen, not seen.
 */
export const SEEN_MS = 100;

export class Looks {
  readonly #bits: Uint8Array;
  readonly #count = signal(0);
  /** Slices seen. */
  readonly count: ReadonlySignal<number> = this.#count;
  #shown: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `kept`: what the server has, as `text` gives it. */
  constructor(
    readonly depth: number,
    kept: string,
  ) {
    const bytes = Uint8Array.from(atob(kept), (sign) => sign.charCodeAt(0));
    this.#bits = new Uint8Array((depth + 7) >> 3);
    this.#bits.set(bytes.subarray(0, this.#bits.length));
    for (let z = 0; z < depth; z++) if (this.has(z)) this.#count.value++;
  }

  has(z: number): boolean {
    return ((this.#bits[z >> 3] ?? 0) & (1 << (z & 7))) !== 0;
  }

  get share(): number {
    return this.depth ? this.count.value / this.depth : 1;
  }

  /** The lowest slice that was not seen; null when all were. */
  get firstUnseen(): number | null {
    void this.count.value;
    for (let z = 0; z < this.depth; z++) if (!this.has(z)) return z;
    return null;
  }

  /** This slice is on the screen in full now; null: none that counts. */
  show(z: number | null): void {
    if (z === this.#shown) return;
    clearTimeout(this.#timer);
    this.#shown = z;
    if (z === null || this.has(z)) return;
    this.#timer = setTimeout(() => {
      // A tab in the background shows nothing; the next frame that is drawn begins again.
      if (document.hidden) this.#shown = null;
      else this.#see(z);
    }, SEEN_MS);
  }

  #see(z: number): void {
    this.#bits[z >> 3] = (this.#bits[z >> 3] ?? 0) | (1 << (z & 7));
    this.#count.value++;
  }

  /** A lesion is visited when half of the slices that it lies on were seen. */
  isVisited({ box: { z0, z1 } }: Pick<Lesion, "box">): boolean {
    void this.count.value;
    let seen = 0;
    for (let z = z0; z < z1; z++) if (this.has(z)) seen++;
    return seen * 2 >= z1 - z0;
  }

  /** Visited lesions, and all. */
  lesions(all: readonly Pick<Lesion, "box">[]): readonly [visited: number, all: number] {
    return [all.filter((lesion) => this.isVisited(lesion)).length, all.length];
  }

  /** The bits as base64, for the server. */
  get text(): string {
    return btoa(String.fromCharCode(...this.#bits));
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
