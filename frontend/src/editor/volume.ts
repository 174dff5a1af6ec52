/** HU of the whole scan: the slices that have arrived, and the preview where they have not. */

import { letGo } from "./handover";
import { planeOf, voxelsOf } from "./geometry";
import type { Plane, Slice, Zyx } from "./types";

export interface PreviewVolume {
  readonly voxels: Uint8Array;
  readonly shape: Zyx;
  readonly step: Zyx;
  readonly huLo: number;
  readonly huStep: number;
}

/** What a voxel shows of which nothing is known. */
const AIR_HU = -1024;

export class Volume {
  /** What lies here of slices that have not arrived says nothing. */
  readonly hu: Int16Array;
  readonly #arrived: Uint8Array;
  #preview: PreviewVolume | null = null;

  /** `hu`: memory that somebody else fills. */
  constructor(
    readonly shape: Zyx,
    hu?: Int16Array,
  ) {
    if (hu && hu.length !== voxelsOf(shape)) throw new RangeError("memory that does not fit the volume");
    this.hu = hu ?? new Int16Array(voxelsOf(shape));
    this.#arrived = new Uint8Array(shape[0]);
  }

  putSlices(z0: number, hu: Int16Array): void {
    const size = this.shape[1] * this.shape[2];
    const count = hu.length / size;
    this.#mustHold(z0, count);
    this.hu.set(hu, z0 * size);
    this.slicesArrived(z0, count);
  }

  /** Slices z0 <= z < z0 + count lie in `hu`. */
  slicesArrived(z0: number, count: number): void {
    this.#mustHold(z0, count);
    this.#arrived.fill(1, z0, z0 + count);
    if (!this.hasSlices(0, this.shape[0] - 1)) return;
    if (this.#preview) letGo(this.#preview.voxels);
    this.#preview = null;
  }

  /** Whether a preview is kept: as long as slices are missing. */
  get hasPreview(): boolean {
    return this.#preview !== null;
  }

  #mustHold(z0: number, count: number): void {
    if (!Number.isInteger(count) || z0 < 0 || z0 + count > this.shape[0])
      throw new RangeError("slices that do not fit the volume");
  }

  /** The preview's memory goes when the last slice has come. */
  putPreview(preview: PreviewVolume): void {
    if (this.hasSlices(0, this.shape[0] - 1)) letGo(preview.voxels);
    else this.#preview = preview;
  }

  /** Whether every slice from `from` to `to` (both included, cut at the volume) is there in full. */
  hasSlices(from: number, to: number): boolean {
    for (let z = Math.max(0, from); z <= Math.min(this.shape[0] - 1, to); z++) if (!this.#arrived[z]) return false;
    return true;
  }

  /** HU of a voxel, from the preview where its slice has not arrived; null when nothing is known. */
  at(z: number, y: number, x: number): number | null {
    if (this.#arrived[z]) return this.hu[(z * this.shape[1] + y) * this.shape[2] + x]!;
    return this.#preview ? this.#previewAt(this.#preview, z, y, x) : null;
  }

  #previewAt({ voxels, shape, step, huLo, huStep }: PreviewVolume, z: number, y: number, x: number): number {
    const [pz, py, px] = [Math.floor(z / step[0]), Math.floor(y / step[1]), Math.floor(x / step[2])];
    return Math.round(huLo + voxels[(pz * shape[1] + py) * shape[2] + px]! * huStep);
  }

  slice(plane: Plane, index: number): Slice<Int16Array> {
    const { width, height, column, row, step } = planeOf(this.shape, plane);
    const data = new Int16Array(width * height);
    for (let v = 0, n = 0; v < height; v++) {
      const z = plane === "axial" ? index : v;
      if (this.#arrived[z]) {
        let from = index * step + v * row;
        for (let u = 0; u < width; u++, from += column) data[n++] = this.hu[from]!;
        continue;
      }
      for (let u = 0; u < width; u++) {
        const y = plane === "axial" ? v : plane === "coronal" ? index : u;
        const x = plane === "sagittal" ? index : u;
        data[n++] = this.#preview ? this.#previewAt(this.#preview, z, y, x) : AIR_HU;
      }
    }
    return { plane, index, width, height, data };
  }
}
