/**
 * Where a voxel lies on the screen. A pane shows one plane of the grid; its slice coordinates (a, b) are those of
 * `Slice` in the editor (a along a row, b down the rows; a voxel's middle is at +0.5). Screen points are CSS pixels.
 */

import type { Ijk, Plane, Zyx } from "../../editor/types";
import { msg } from "../language";
import { cross, dot, lettersOf, rasterOf, type Frame, type Raster, type Vector } from "./oblique";

/** An axis of the grid, 0 = i, 1 = j, 2 = k. */
export type AxisIndex = 0 | 1 | 2;

/** 2×3 affine, as canvas has it: x = a·u + c·v + e, y = b·u + d·v + f. */
export type Affine = readonly [number, number, number, number, number, number];

export interface GridGeometry {
  readonly shapeZyx: Zyx;
  readonly spacingMmZyx: Zyx;
  readonly lpsFromIjk: readonly (readonly number[])[];
}

/** Axes of `Slice` per plane: along a row, down the rows, across the slices. */
const SLICE_AXES: Readonly<Record<Plane, readonly [AxisIndex, AxisIndex, AxisIndex]>> = {
  axial: [0, 1, 2],
  coronal: [0, 2, 1],
  sagittal: [1, 2, 0],
};

/** Letters of the two ends of L, P and S: towards larger and towards smaller millimetres. */
const LETTERS = [
  ["L", "R"],
  ["P", "A"],
  ["S", "I"],
] as const;
const NAMES = [msg("Sagittal"), msg("Coronal"), msg("Axial")] as const;

/** How a plane stands on the screen: as a radiologist has it, feet below, the patient's right on the left. */
export interface PlaneLayout {
  readonly plane: Plane;
  /** Name by the patient's axes; an oddly stored series may show its coronal images in the grid's axial plane. */
  readonly name: string;
  readonly right: AxisIndex;
  readonly down: AxisIndex;
  readonly across: AxisIndex;
  /** true: the index falls towards the right (or towards the bottom). */
  readonly flipRight: boolean;
  readonly flipDown: boolean;
  readonly letters: { readonly left: string; readonly right: string; readonly top: string; readonly bottom: string };
}

/** Patient axis (0 L, 1 P, 2 S) that each grid axis runs along most, and its sign; every patient axis once. */
function patientAxes(lps: GridGeometry["lpsFromIjk"]): { axis: AxisIndex; sign: number }[] {
  const found: { axis: AxisIndex; sign: number }[] = [];
  const free = new Set<AxisIndex>([0, 1, 2]);
  const order = ([0, 1, 2] as AxisIndex[]).map((n) => {
    const column = [lps[0][n], lps[1][n], lps[2][n]];
    const length = Math.hypot(...column) || 1;
    return { n, column: column.map((v) => v / length) };
  });
  order.sort((p, q) => Math.max(...q.column.map(Math.abs)) - Math.max(...p.column.map(Math.abs)));
  for (const { n, column } of order) {
    const axis = [...free].reduce((best, a) => (Math.abs(column[a]) > Math.abs(column[best]) ? a : best));
    free.delete(axis);
    found[n] = { axis, sign: column[axis] < 0 ? -1 : 1 };
  }
  return found;
}

export function layoutOf(plane: Plane, geometry: GridGeometry): PlaneLayout {
  const patient = patientAxes(geometry.lpsFromIjk);
  const [first, second, across] = SLICE_AXES[plane];
  // Right of the screen: patient's left, or the back where left runs into the screen. Down: feet, or the back.
  const normal = patient[across].axis;
  const wantRight = normal === 0 ? 1 : 0;
  const wantDown = normal === 2 ? 1 : 2;
  const right = patient[first].axis === wantRight ? first : second;
  const down = right === first ? second : first;
  const flipRight = patient[right].sign < 0;
  const flipDown = wantDown === 2 ? patient[down].sign > 0 : patient[down].sign < 0;
  const [plus, minus] = LETTERS[wantRight];
  const [downPlus, downMinus] = LETTERS[wantDown];
  return {
    plane,
    name: NAMES[normal],
    right,
    down,
    across,
    flipRight,
    flipDown,
    letters: {
      right: plus,
      left: minus,
      bottom: wantDown === 2 ? downMinus : downPlus,
      top: wantDown === 2 ? downPlus : downMinus,
    },
  };
}

/** One pane's view: which slice, how large, where. */
export class PaneGeometry {
  readonly layout: PlaneLayout;
  /** CSS pixels per mm. */
  scale = 1;
  /** Grid position (continuous ijk) in the middle of the pane. */
  centre: [number, number, number];
  width = 0;
  height = 0;
  private readonly shape: readonly [number, number, number];
  private readonly spacing: readonly [number, number, number];
  /** How an oblique pane stands; null when it shows a plane of the grid. */
  #askew: { readonly frame: Frame; readonly centre: Vector; readonly raster: Raster } | null = null;

  constructor(
    readonly plane: Plane,
    private readonly geometry: GridGeometry,
  ) {
    this.layout = layoutOf(plane, geometry);
    const [z, y, x] = geometry.shapeZyx;
    this.shape = [x, y, z];
    const [sz, sy, sx] = geometry.spacingMmZyx;
    this.spacing = [sx, sy, sz];
    this.centre = [x / 2, y / 2, z / 2];
  }

  /** Right, down and across of the plane of the grid, as it stands on the screen. */
  get straight(): Frame {
    const { right, down, flipRight, flipDown } = this.layout;
    const unit = (axis: number, flip: boolean) =>
      [0, 1, 2].map((n) => (n === axis ? (flip ? -1 : 1) : 0)) as unknown as Vector;
    const [r, d] = [unit(right, flipRight), unit(down, flipDown)];
    return { right: r, down: d, normal: cross(r, d) };
  }

  get frame(): Frame {
    return this.#askew?.frame ?? this.straight;
  }
  get oblique(): { readonly frame: Frame; readonly centre: Vector; readonly raster: Raster } | null {
    return this.#askew;
  }

  /** Stand askew, with `centre` (continuous ijk) in the plane; null: back to the grid. */
  lean(frame: Frame | null, at: Vector): void {
    const raster = frame && rasterOf(frame, at, this.geometry.shapeZyx, this.spacing);
    this.#askew = frame && raster && { frame, centre: at, raster };
  }

  /** Letters at the edges of the pane. */
  get letters(): PlaneLayout["letters"] {
    if (!this.#askew) return this.layout.letters;
    const { right, down } = this.#askew.frame;
    const lps = this.geometry.lpsFromIjk;
    const back = (v: Vector) => v.map((n) => -n) as unknown as Vector;
    return {
      right: lettersOf(right, lps),
      left: lettersOf(back(right), lps),
      bottom: lettersOf(down, lps),
      top: lettersOf(back(down), lps),
    };
  }

  /** Distance of a grid position from the shown plane, in voxels across it (grid) or in units of the finest voxel (oblique). */
  offPlane(ijk: readonly number[], index: number): number {
    return (
      Math.abs(this.beyondMm(ijk, index)) / (this.#askew ? Math.min(...this.spacing) : this.spacing[this.layout.across])
    );
  }

  /** How far beyond the shown plane a grid position lies, in mm; negative before it. */
  beyondMm(ijk: readonly number[], index: number): number {
    if (this.#askew) return dot(this.#mmFrom(ijk, this.#askew.centre), this.#askew.frame.normal);
    const { across } = this.layout;
    return (ijk[across] - (index + 0.5)) * this.spacing[across];
  }

  #mmFrom(ijk: readonly number[], from: readonly number[]): Vector {
    return [0, 1, 2].map((n) => (ijk[n] - from[n]) * this.spacing[n]) as unknown as Vector;
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
        this.width / (this.shape[right] * this.spacing[right]),
        this.height / (this.shape[down] * this.spacing[down]),
      ) || 1
    );
  }

  fit(): void {
    this.centre = [this.shape[0] / 2, this.shape[1] / 2, this.shape[2] / 2];
    this.scale = this.fitScale;
  }

  /** Screen from continuous ijk in this plane (the coordinate across is ignored). */
  toScreen(ijk: readonly number[]): [number, number] {
    if (this.#askew) {
      const mm = this.#mmFrom(ijk, this.centre);
      return [
        this.width / 2 + dot(mm, this.frame.right) * this.scale,
        this.height / 2 + dot(mm, this.frame.down) * this.scale,
      ];
    }
    const { right, down, flipRight, flipDown } = this.layout;
    const x = (ijk[right] - this.centre[right]) * this.spacing[right] * this.scale * (flipRight ? -1 : 1);
    const y = (ijk[down] - this.centre[down]) * this.spacing[down] * this.scale * (flipDown ? -1 : 1);
    return [this.width / 2 + x, this.height / 2 + y];
  }

  /** Continuous ijk of a screen point; the coordinate across is the middle of slice `index`. */
  toGrid(x: number, y: number, index: number): [number, number, number] {
    if (this.#askew) {
      const { frame, centre } = this.#askew;
      const from = this.#mmFrom(this.centre, centre);
      const a = dot(from, frame.right) + (x - this.width / 2) / this.scale,
        b = dot(from, frame.down) + (y - this.height / 2) / this.scale;
      return [0, 1, 2].map((n) => centre[n] + (frame.right[n] * a + frame.down[n] * b) / this.spacing[n]) as [
        number,
        number,
        number,
      ];
    }
    const { right, down, across, flipRight, flipDown } = this.layout;
    const ijk: [number, number, number] = [0, 0, 0];
    ijk[right] =
      this.centre[right] + ((x - this.width / 2) / (this.spacing[right] * this.scale)) * (flipRight ? -1 : 1);
    ijk[down] = this.centre[down] + ((y - this.height / 2) / (this.spacing[down] * this.scale)) * (flipDown ? -1 : 1);
    ijk[across] = index + 0.5;
    return ijk;
  }

  /** Voxel under a screen point of slice `index`; null outside the volume. */
  voxelAt(x: number, y: number, index: number): Ijk | null {
    const [i, j, k] = this.toGrid(x, y, index).map(Math.floor);
    const inside = i >= 0 && j >= 0 && k >= 0 && i < this.shape[0] && j < this.shape[1] && k < this.shape[2];
    return inside ? [i, j, k] : null;
  }

  /** Screen from slice coordinates (a, b) of the editor's `Slice`. */
  affine(): Affine {
    if (this.#askew) {
      const {
        frame,
        centre,
        raster: { a0, b0, mm },
      } = this.#askew;
      const from = this.#mmFrom(centre, this.centre);
      const px = mm * this.scale;
      return [
        px,
        0,
        0,
        px,
        this.width / 2 + (dot(from, frame.right) + a0) * this.scale,
        this.height / 2 + (dot(from, frame.down) + b0) * this.scale,
      ];
    }
    const [first, second] = SLICE_AXES[this.plane];
    const { right, down, flipRight, flipDown } = this.layout;
    const rightPx = this.spacing[right] * this.scale * (flipRight ? -1 : 1);
    const downPx = this.spacing[down] * this.scale * (flipDown ? -1 : 1);
    const e = this.width / 2 - this.centre[right] * rightPx;
    const f = this.height / 2 - this.centre[down] * downPx;
    return right === first && down === second ? [rightPx, 0, 0, downPx, e, f] : [0, downPx, rightPx, 0, e, f];
  }

  /** mm a pixel along the two axes of the slice, for paths that are kept in mm. */
  get pathScale(): { readonly a: number; readonly b: number } {
    if (this.#askew) return { a: this.#askew.raster.mm, b: this.#askew.raster.mm };
    const [first, second] = SLICE_AXES[this.plane];
    return { a: this.spacing[first], b: this.spacing[second] };
  }

  /** Zoom by a factor around a screen point. */
  zoomAt(factor: number, x: number, y: number): void {
    const before = this.toGrid(x, y, 0);
    const fit = this.fitScale;
    this.scale = Math.min(Math.max(this.scale * factor, fit * 0.3), fit * 40);
    const after = this.toGrid(x, y, 0);
    for (const axis of this.#askew ? [0, 1, 2] : [this.layout.right, this.layout.down])
      this.centre[axis] += before[axis] - after[axis];
  }

  panBy(dx: number, dy: number): void {
    if (this.#askew) {
      const { right, down } = this.frame;
      for (let n = 0; n < 3; n++) this.centre[n] -= (right[n] * dx + down[n] * dy) / (this.scale * this.spacing[n]);
      return;
    }
    const { right, down, flipRight, flipDown } = this.layout;
    this.centre[right] -= (dx / (this.spacing[right] * this.scale)) * (flipRight ? -1 : 1);
    this.centre[down] -= (dy / (this.spacing[down] * this.scale)) * (flipDown ? -1 : 1);
  }

  resize(width: number, height: number): void {
    const wasFit = this.width === 0 || Math.abs(this.scale / this.fitScale - 1) < 1e-6;
    this.width = width;
    this.height = height;
    if (wasFit) this.scale = this.fitScale;
  }
}

/** Millimetres in LPS of the middle of a voxel. */
export function lpsOf(geometry: GridGeometry, ijk: readonly number[]): [number, number, number] {
  const [row0, row1, row2] = geometry.lpsFromIjk;
  const dot = (row: readonly number[]) => row[0] * ijk[0] + row[1] * ijk[1] + row[2] * ijk[2] + row[3];
  return [dot(row0), dot(row1), dot(row2)];
}

/** Distance in mm between two grid positions. */
export function distanceMm(geometry: GridGeometry, p: readonly number[], q: readonly number[]): number {
  const [sz, sy, sx] = geometry.spacingMmZyx;
  return Math.hypot((p[0] - q[0]) * sx, (p[1] - q[1]) * sy, (p[2] - q[2]) * sz);
}
