/** The chosen lesion of the list. The list is sorted by size and moves while one draws. */

import { type ReadonlySignal, signal } from "@preact/signals";
import type { Box, Lesion } from "../../editor/types";
import type { ScanSession } from "../scan/session";

/** A press this many voxels beside a lesion still means it. */
const NEAR = 2;

export class ChosenLesion {
  readonly #index = signal(-1);
  /** Its index in the list; -1 for none. */
  readonly index: ReadonlySignal<number> = this.#index;

  constructor(private readonly session: ScanSession) {
    let before = session.lesions.value;
    session.lesions.subscribe((lesions) => {
      // Found again by where it lies.
      const chosen = before[this.#index.value];
      before = lesions;
      this.#index.value = chosen
        ? lesions.findIndex((l) => l.segment === chosen.segment && overlaps(l.box, chosen.box))
        : -1;
    });
  }

  /** Next or previous lesion of the list, round and round. */
  step(by: 1 | -1): void {
    const n = this.session.lesions.value.length;
    if (!n) return;
    const at = this.#index.value;
    this.show(at < 0 ? (by > 0 ? 0 : n - 1) : (at + by + n) % n);
  }

  /** The lesion at (or near) a position of the grid; without one, the position itself. */
  showAt(ijk: readonly number[]): void {
    const lesions = this.session.lesions.value;
    const [found] = lesions.filter(({ box }) => isNear(box, ijk)).sort((a, b) => sizeOf(a.box) - sizeOf(b.box));
    if (found) this.show(lesions.indexOf(found));
    else this.session.goTo(ijk.map(Math.floor));
  }

  show(index: number): void {
    const lesion: Lesion | undefined = this.session.lesions.value[index];
    if (!lesion) return;
    this.#index.value = index;
    this.session.goTo(lesion.ijk);
  }
}

function overlaps(a: Box, b: Box): boolean {
  return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1 && a.z0 < b.z1 && b.z0 < a.z1;
}

function isNear({ x0, x1, y0, y1, z0, z1 }: Box, [i = 0, j = 0, k = 0]: readonly number[]): boolean {
  const within = (at: number, from: number, to: number) => at >= from - NEAR && at <= to + NEAR;
  return within(i, x0, x1) && within(j, y0, y1) && within(k, z0, z1);
}

function sizeOf({ x0, x1, y0, y1, z0, z1 }: Box): number {
  return (x1 - x0) * (y1 - y0) * (z1 - z0);
}
