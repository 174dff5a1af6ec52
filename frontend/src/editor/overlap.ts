/** Which connected parts of two masks share voxels, and how many. */

import type { Component } from "./components";

interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly part: number;
}

/** Parts of one mask, made ready to be compared with others. */
export class Overlapping {
  readonly #order: readonly Stretch[];

  constructor(readonly parts: readonly Component[]) {
    this.#order = parts
      .flatMap((one, part) => Array.from(one.starts, (start, n) => ({ start, end: start + one.lengths[n]!, part })))
      .sort((a, b) => a.start - b.start);
  }

  /** Voxels that each part shares with `other`, by its index; those that share none are left out. */
  sharedWith(other: Pick<Component, "starts" | "lengths">): Map<number, number> {
    const shared = new Map<number, number>();
    other.starts.forEach((start, n) => {
      const end = start + other.lengths[n]!;
      for (let at = this.#firstEndingAfter(start); at < this.#order.length; at++) {
        const one = this.#order[at]!;
        if (one.start >= end) break;
        const voxels = Math.min(end, one.end) - Math.max(start, one.start);
        shared.set(one.part, (shared.get(one.part) ?? 0) + voxels);
      }
    });
    return shared;
  }

  /** The part that holds this voxel; -1 for none. */
  at(voxel: number): number {
    const one = this.#order[this.#firstEndingAfter(voxel)];
    return one && one.start <= voxel ? one.part : -1;
  }

  /** Stretches do not overlap, so their ends ascend like their starts. */
  #firstEndingAfter(position: number): number {
    let low = 0,
      high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#order[middle]!.end <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
