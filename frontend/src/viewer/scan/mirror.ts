/**
 * A copy of the mask's axial slices on the page, kept up to date behind the strokes. It feeds what needs the whole
 * mask: the strips beside the panes, the 3D surface, the difference to the pre-annotation, the check against the lungs.
 */

import { signal, type ReadonlySignal } from "@preact/signals";
import type { Ijk, SliceFacts, AxisIndex } from "../../editor/types";
import type { EditorClient } from "../../editor/client";

const NOTHING: SliceFacts = {
  labels: null,
  rows: null,
  columns: null,
  marked: 0,
  outside: 0,
  firstOutside: -1,
  added: 0,
  removed: 0,
};

export class MaskMirror {
  readonly #version = signal(0);
  /** Grows when the facts have changed. */
  readonly version: ReadonlySignal<number> = this.#version;
  readonly #complete = signal(false);
  /** True once every slice was read. */
  readonly complete: ReadonlySignal<boolean> = this.#complete;
  #hasLimit = false;
  #compareWith: string | null = null;
  readonly #slices: SliceFacts[];
  readonly #stale: Set<number>;
  #running: Promise<void> | null = null;

  constructor(
    private readonly editor: EditorClient,
    readonly shapeZyx: readonly [number, number, number],
  ) {
    this.#slices = Array.from({ length: shapeZyx[0] }, () => NOTHING);
    this.#stale = new Set(this.#slices.keys());
  }

  /** Slices z0 <= z < z1 have changed; they are read again soon. */
  touch(z0: number, z1: number): void {
    for (let z = z0; z < Math.min(z1, this.#slices.length); z++) this.#stale.add(z);
    void this.refresh();
  }

  get hasLimit(): boolean {
    return this.#hasLimit;
  }

  /** The overlay that is counted against. */
  get compareWith(): string | null {
    return this.#compareWith;
  }

  limitArrived(): void {
    this.#hasLimit = true;
    this.touchAll();
  }

  /** Count what was added to and removed from this overlay; `touchAll` makes it so. */
  compare(overlay: string): void {
    this.#compareWith = overlay;
  }

  /** The limit or the compared overlay has come or changed. */
  touchAll(): void {
    this.touch(0, this.#slices.length);
  }

  /** Resolves when every stale slice was read. */
  refresh(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 60));
    while (this.#stale.size) {
      const batch = [...this.#stale].slice(0, 16);
      for (const z of batch) this.#stale.delete(z);
      await Promise.all(
        batch.map(async (z) => {
          this.#slices[z] = await this.editor.sliceFacts(z, this.#compareWith);
        }),
      );
      this.#version.value++;
    }
    this.#complete.value = true;
  }

  /** The label of a voxel inside the volume; 0 where its slice was not read yet. */
  labelAt(z: number, y: number, x: number): number {
    const part = this.#slices[z]?.labels;
    if (!part) return 0;
    const row = y - part.y,
      column = x - part.x;
    if (row < 0 || column < 0 || row >= part.height || column >= part.width) return 0;
    return part.data[row * part.width + column] ?? 0;
  }

  /** Marked voxels per slice of an axis: 0 = i, 1 = j, 2 = k. */
  profile(axis: AxisIndex): Uint32Array {
    const [depth, height, width] = this.shapeZyx;
    const out = new Uint32Array(([width, height, depth] as const)[axis]);
    this.#slices.forEach((slice, z) => {
      if (axis === 2) out[z] = slice.marked;
      else {
        const part = axis === 1 ? slice.rows : slice.columns;
        part?.forEach((marked, n) => {
          out[n] = (out[n] ?? 0) + marked;
        });
      }
    });
    return out;
  }

  /** Marked voxels in all, outside the lung limit, added to and removed from the compared overlay. */
  totals(): { marked: number; outside: number; added: number; removed: number; firstOutside: Ijk | null } {
    let marked = 0,
      outside = 0,
      added = 0,
      removed = 0;
    let firstOutside: Ijk | null = null;
    this.#slices.forEach((slice, z) => {
      marked += slice.marked;
      outside += slice.outside;
      added += slice.added;
      removed += slice.removed;
      if (!firstOutside && slice.firstOutside >= 0) {
        firstOutside = [slice.firstOutside % this.shapeZyx[2], Math.floor(slice.firstOutside / this.shapeZyx[2]), z];
      }
    });
    return { marked, outside, added, removed, firstOutside };
  }
}
