/**
 * Where a voxel lies on the screen. A pane shows one plane of the grid; its slice coordinates (a, b) are those of
 * `Slice` in the editor (a along a row, b down the rows; a voxel's middle is at +0.5). Screen points are CSS pixels.
 */

import { perAxis, type AxisIndex, type Ijk, type Plane } from "../../editor/types";
import { cross, dot, lettersOf, rasterOf, type Frame, type Raster, type Vector } from "./oblique";

import type { GridGeometry } from "./grid";
import { layoutOf, type PlaneLayout, SLICE_AXES } from "./layout";

/** 2×3 affine, as canvas has it: x = a·u + c·v + e, y = b·u + d·v + f. */
export type Affine = readonly [number, number, number, number, number, number];

/** One pane's view: which slice, how large, where. */
export class PaneGeometry {
  readonly layout: PlaneLayout;
  #scale = 1;
  #centre: [number, number, number];
  #width = 0;
  #height = 0;
  private readonly shape: readonly [number, number, number];
  private readonly spacing: readonly [number, number, number];
  /** How an oblique pane stands; null when it shows a plane of the grid. */
  #oblique: { readonly frame: Frame; readonly centre: Vector; readonly raster: Raster } | null = null;

  constructor(
    readonly plane: Plane,
    private readonly geometry: GridGeometry,
  ) {
    this.layout = layoutOf(plane, geometry);
    const [z, y, x] = geometry.shapeZyx;
    this.shape = [x, y, z];
    const [sz, sy, sx] = geometry.spacingMmZyx;
    this.spacing = [sx, sy, sz];
    this.#centre = [x / 2, y / 2, z / 2];
  }

  /** CSS pixels per mm. */
  get scale(): number {
    return this.#scale;
  }
  /** Grid position (continuous ijk) in the middle of the pane. */
  get centre(): readonly [number, number, number] {
    return this.#centre;
  }
  /** Of the pane, in CSS pixels. */
  get width(): number {
    return this.#width;
  }
  get height(): number {
    return this.#height;
  }

  /** Right, down and across of the plane of the grid, as it stands on the screen. */
  get straight(): Frame {
    const { right, down, flipRight, flipDown } = this.layout;
    const unit = (axis: AxisIndex, flip: boolean): Vector => perAxis((n) => (n === axis ? (flip ? -1 : 1) : 0));
    const [r, d] = [unit(right, flipRight), unit(down, flipDown)];
    return { right: r, down: d, normal: cross(r, d) };
  }

  get frame(): Frame {
    return this.#oblique?.frame ?? this.straight;
  }
  get oblique(): { readonly frame: Frame; readonly centre: Vector; readonly raster: Raster } | null {
    return this.#oblique;
  }

  /** Be oblique, with `centre` (continuous ijk) in the plane; null: back to the grid. */
  lean(frame: Frame | null, at: Vector): void {
    const raster = frame && rasterOf(frame, at, this.geometry.shapeZyx, this.spacing);
    this.#oblique = frame && raster && { frame, centre: at, raster };
  }

  /** Letters at the edges of the pane. */
  get letters(): PlaneLayout["letters"] {
    if (!this.#oblique) return this.layout.letters;
    const { right, down } = this.#oblique.frame;
    const lps = this.geometry.lpsFromIjk;
    const back = (v: Vector): Vector => [-v[0], -v[1], -v[2]];
    return {
      right: lettersOf(right, lps),
      left: lettersOf(back(right), lps),
      bottom: lettersOf(down, lps),
      top: lettersOf(back(down), lps),
    };
  }

  /**
   * Distance of a grid position from the shown plane, in voxels across it (grid) or in units of the finest voxel
   * (oblique).
   */
  offPlane(ijk: Vector, index: number): number {
    return (
      Math.abs(this.beyondMm(ijk, index)) /
      (this.#oblique ? Math.min(...this.spacing) : this.spacing[this.layout.across])
    );
  }

  /** How far beyond the shown plane a grid position lies, in mm; negative before it. */
  beyondMm(ijk: Vector, index: number): number {
    if (this.#oblique) return dot(this.#mmFrom(ijk, this.#oblique.centre), this.#oblique.frame.normal);
    const { across } = this.layout;
    return (ijk[across] - (index + 0.5)) * this.spacing[across];
  }

  #mmFrom(ijk: Vector, from: Vector): Vector {
    return perAxis((n) => (ijk[n] - from[n]) * this.spacing[n]);
  }

  get slices(): number {
    return this.shape[this.layout.across];
  }
  /** Voxels along i, j, k. */
  get size(): readonly [number, number, number] {
    return this.shape;
  }
  get mmPerVoxel(): readonly [number, number, number] {
    return this.spacing;
  }

  /** Largest scale at which the whole plane is seen. */
  get fitScale(): number {
    const { right, down } = this.layout;
    return (
      Math.min(
        this.#width / (this.shape[right] * this.spacing[right]),
        this.#height / (this.shape[down] * this.spacing[down]),
      ) || 1
    );
  }

  fit(): void {
    this.#centre = [this.shape[0] / 2, this.shape[1] / 2, this.shape[2] / 2];
    this.#scale = this.fitScale;
  }

  /** Screen from continuous ijk in this plane (the coordinate across is ignored). */
  toScreen(ijk: Vector): [number, number] {
    if (this.#oblique) {
      const mm = this.#mmFrom(ijk, this.#centre);
      return [
        this.#width / 2 + dot(mm, this.frame.right) * this.#scale,
        this.#height / 2 + dot(mm, this.frame.down) * this.#scale,
      ];
    }
    const { right, down, flipRight, flipDown } = this.layout;
    const x = (ijk[right] - this.#centre[right]) * this.spacing[right] * this.#scale * (flipRight ? -1 : 1);
    const y = (ijk[down] - this.#centre[down]) * this.spacing[down] * this.#scale * (flipDown ? -1 : 1);
    return [this.#width / 2 + x, this.#height / 2 + y];
  }

  /** Continuous ijk of a screen point; the coordinate across is the middle of slice `index`. */
  toGrid(x: number, y: number, index: number): [number, number, number] {
    if (this.#oblique) {
      const { frame, centre } = this.#oblique;
      const from = this.#mmFrom(this.#centre, centre);
      const a = dot(from, frame.right) + (x - this.#width / 2) / this.#scale,
        b = dot(from, frame.down) + (y - this.#height / 2) / this.#scale;
      return perAxis((n) => centre[n] + (frame.right[n] * a + frame.down[n] * b) / this.spacing[n]);
    }
    const { right, down, across, flipRight, flipDown } = this.layout;
    const ijk: [number, number, number] = [0, 0, 0];
    ijk[right] =
      this.#centre[right] + ((x - this.#width / 2) / (this.spacing[right] * this.#scale)) * (flipRight ? -1 : 1);
    ijk[down] =
      this.#centre[down] + ((y - this.#height / 2) / (this.spacing[down] * this.#scale)) * (flipDown ? -1 : 1);
    ijk[across] = index + 0.5;
    return ijk;
  }

  /** Voxel under a screen point of slice `index`; null outside the volume. */
  voxelAt(x: number, y: number, index: number): Ijk | null {
    const at = this.toGrid(x, y, index);
    const [i, j, k] = perAxis((axis) => Math.floor(at[axis]));
    const inside = i >= 0 && j >= 0 && k >= 0 && i < this.shape[0] && j < this.shape[1] && k < this.shape[2];
    return inside ? [i, j, k] : null;
  }

  /** Screen from slice coordinates (a, b) of the editor's `Slice`. */
  affine(): Affine {
    if (this.#oblique) {
      const {
        frame,
        centre,
        raster: { a0, b0, mm },
      } = this.#oblique;
      const from = this.#mmFrom(centre, this.#centre);
      const px = mm * this.#scale;
      return [
        px,
        0,
        0,
        px,
        this.#width / 2 + (dot(from, frame.right) + a0) * this.#scale,
        this.#height / 2 + (dot(from, frame.down) + b0) * this.#scale,
      ];
    }
    const [first, second] = SLICE_AXES[this.plane];
    const { right, down, flipRight, flipDown } = this.layout;
    const rightPx = this.spacing[right] * this.#scale * (flipRight ? -1 : 1);
    const downPx = this.spacing[down] * this.#scale * (flipDown ? -1 : 1);
    const e = this.#width / 2 - this.#centre[right] * rightPx;
    const f = this.#height / 2 - this.#centre[down] * downPx;
    return right === first && down === second ? [rightPx, 0, 0, downPx, e, f] : [0, downPx, rightPx, 0, e, f];
  }

  /** mm a pixel along the two axes of the slice, for paths that are kept in mm. */
  get pathScale(): { readonly a: number; readonly b: number } {
    if (this.#oblique) return { a: this.#oblique.raster.mm, b: this.#oblique.raster.mm };
    const [first, second] = SLICE_AXES[this.plane];
    return { a: this.spacing[first], b: this.spacing[second] };
  }

  /** Zoom by a factor around a screen point. */
  zoomAt(factor: number, x: number, y: number): void {
    const before = this.toGrid(x, y, 0);
    const fit = this.fitScale;
    this.#scale = Math.min(Math.max(this.#scale * factor, fit * 0.3), fit * 40);
    const after = this.toGrid(x, y, 0);
    const axes: readonly AxisIndex[] = this.#oblique ? [0, 1, 2] : [this.layout.right, this.layout.down];
    for (const axis of axes) this.#centre[axis] += before[axis] - after[axis];
  }

  /** A grid position lies within the pane. */
  isInSight(ijk: Vector): boolean {
    const [x, y] = this.toScreen(ijk);
    return x >= 0 && y >= 0 && x <= this.#width && y <= this.#height;
  }

  /** Bring a grid position to the middle. */
  centreOn(ijk: Vector): void {
    const [x, y] = this.toScreen(ijk);
    this.panBy(this.#width / 2 - x, this.#height / 2 - y);
  }

  panBy(dx: number, dy: number): void {
    if (this.#oblique) {
      const { right, down } = this.frame;
      this.#centre = perAxis((n) => this.#centre[n] - (right[n] * dx + down[n] * dy) / (this.#scale * this.spacing[n]));
      return;
    }
    const { right, down, flipRight, flipDown } = this.layout;
    this.#centre[right] -= (dx / (this.spacing[right] * this.#scale)) * (flipRight ? -1 : 1);
    this.#centre[down] -= (dy / (this.spacing[down] * this.#scale)) * (flipDown ? -1 : 1);
  }

  resize(width: number, height: number): void {
    const wasFit = this.#width === 0 || Math.abs(this.#scale / this.fitScale - 1) < 1e-6;
    this.#width = width;
    this.#height = height;
    if (wasFit) this.#scale = this.fitScale;
  }
}
