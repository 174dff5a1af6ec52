/**
 * Oblique planes through the volume. All vectors are millimetres along the grid's axes i, j, k (an orthogonal frame
 * that differs from LPS only by a rotation); positions are continuous voxel coordinates, the middle of a voxel at +0.5.
 */

import type { Cut } from "../../editor/cut";
import { perAxis, type Matrix, type Zyx, AXES } from "../../editor/types";
import { MISSING } from "../../load/volume";
import { LineSum, type SlabKind } from "./slab";

export type Vector = readonly [number, number, number];

/** Which way a pane looks: unit vectors towards its right, its bottom, and across. */
export interface Frame {
  readonly right: Vector;
  readonly down: Vector;
  readonly normal: Vector;
}

/**
 * A raster over an oblique plane; pixel (0, 0) has its outer corner at (`a0`, `b0`) mm from the centre along right and
 * down.
 */
export interface Raster {
  readonly a0: number;
  readonly b0: number;
  readonly mm: number;
  readonly width: number;
  readonly height: number;
}

/** More pixels than this along an edge cost time and show nothing more. */
const MOST_PIXELS = 512;

export const dot = (p: Vector, q: Vector): number => p[0] * q[0] + p[1] * q[1] + p[2] * q[2];
export const cross = (p: Vector, q: Vector): Vector => [
  p[1] * q[2] - p[2] * q[1],
  p[2] * q[0] - p[0] * q[2],
  p[0] * q[1] - p[1] * q[0],
];

/** `v` turned by `angle` radians about the unit vector `axis` (Rodrigues). */
export function turned(v: Vector, axis: Vector, angle: number): Vector {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const side = cross(axis, v);
  const along = dot(axis, v) * (1 - c);
  return perAxis((n) => v[n] * c + side[n] * s + axis[n] * along);
}

export function turnedFrame(frame: Frame, axis: Vector, angle: number): Frame {
  return {
    right: turned(frame.right, axis, angle),
    down: turned(frame.down, axis, angle),
    normal: turned(frame.normal, axis, angle),
  };
}

/** The raster that covers the whole volume as this frame sees it. `spacing` and `centre` are ijk. */
export function rasterOf(frame: Frame, centre: Vector, shape: Zyx, spacing: Vector): Raster {
  let a0 = Infinity,
    a1 = -Infinity,
    b0 = Infinity,
    b1 = -Infinity;
  const size: Vector = [shape[2], shape[1], shape[0]];
  for (let corner = 0; corner < 8; corner++) {
    const mm = perAxis((axis) => (((corner >> axis) & 1 ? size[axis] : 0) - centre[axis]) * spacing[axis]);
    const a = dot(mm, frame.right),
      b = dot(mm, frame.down);
    a0 = Math.min(a0, a);
    a1 = Math.max(a1, a);
    b0 = Math.min(b0, b);
    b1 = Math.max(b1, b);
  }
  const mm = Math.max(Math.min(...spacing), Math.max(a1 - a0, b1 - b0) / MOST_PIXELS);
  return { a0, b0, mm, width: Math.max(1, Math.ceil((a1 - a0) / mm)), height: Math.max(1, Math.ceil((b1 - b0) / mm)) };
}

/** The raster of an oblique plane in voxels. */
export function cutOf(frame: Frame, centre: Vector, spacing: Vector, { a0, b0, mm, width, height }: Raster): Cut {
  const per = (v: Vector): Vector => perAxis((axis) => (v[axis] * mm) / spacing[axis]);
  const column = per(frame.right),
    row = per(frame.down);
  const a = a0 / mm + 0.5,
    b = b0 / mm + 0.5;
  return {
    start: perAxis((axis) => centre[axis] + column[axis] * a + row[axis] * b),
    column,
    row,
    width,
    height,
  };
}

/** What an oblique picture is made of. `spacing` and `centre` are ijk; `outside` is the value beyond the volume. */
export interface ObliquePicture {
  readonly hu: Int16Array;
  readonly shape: Zyx;
  readonly spacing: Vector;
  readonly frame: Frame;
  readonly centre: Vector;
  readonly raster: Raster;
  readonly slab: { readonly kind: SlabKind; readonly mm: number } | null;
  readonly outside: number;
}

/**
 * Row `b` of an oblique plane into `out`, which holds the whole picture: HU, trilinear between the middles of the
 * voxels. With `slab`, the brightest, darkest or mean of planes one finest voxel apart through `slab.mm`.
 */
export function resliceRow(picture: ObliquePicture, b: number, out: Int16Array): void {
  const {
    spacing,
    frame,
    centre,
    raster: { width },
    slab,
  } = picture;
  const line = out.subarray(b * width, (b + 1) * width);
  if (!slab) {
    planeRow(picture, centre, b, line);
    return;
  }
  const { side, step } = planesOf(spacing, slab.mm);
  const sum = new LineSum(slab.kind, line);
  const part = new Int16Array(width);
  for (let n = -side; n <= side; n++) {
    const at = perAxis((axis) => centre[axis] + (frame.normal[axis] * n * step) / spacing[axis]);
    planeRow(picture, at, b, part);
    sum.add(part, 0);
  }
  sum.end();
}

/** The planes of a slab: how many on each side of the middle one, how many mm apart. */
export function planesOf(spacing: Vector, mm: number): { readonly side: number; readonly step: number } {
  const finest = Math.min(...spacing);
  const side = Math.min(8, Math.max(1, Math.round((mm / finest - 1) / 2)));
  return { side, step: Math.max(finest, mm / (2 * side + 1)) };
}

function planeRow(
  { hu, shape: [nz, ny, nx], spacing, frame, raster, outside }: ObliquePicture,
  centre: Vector,
  b: number,
  out: Int16Array,
): void {
  const { start, column, row } = cutOf(frame, centre, spacing, raster);
  const area = nx * ny;
  let x = start[0] + b * row[0],
    y = start[1] + b * row[1],
    z = start[2] + b * row[2];
  for (let p = 0; p < raster.width; p++, x += column[0], y += column[1], z += column[2]) {
    if (x < 0 || y < 0 || z < 0 || x >= nx || y >= ny || z >= nz) {
      out[p] = outside;
      continue;
    }
    // Between the middles of the voxels; the outermost half voxel repeats its middle.
    const fx = Math.min(Math.max(x - 0.5, 0), nx - 1),
      fy = Math.min(Math.max(y - 0.5, 0), ny - 1),
      fz = Math.min(Math.max(z - 0.5, 0), nz - 1);
    const x0 = fx | 0,
      y0 = fy | 0,
      z0 = fz | 0;
    const dx = fx - x0,
      dy = fy - y0,
      dz = fz - z0;
    const at = z0 * area + y0 * nx + x0;
    const ox = x0 + 1 < nx ? 1 : 0,
      oy = y0 + 1 < ny ? nx : 0,
      oz = z0 + 1 < nz ? area : 0;
    const near =
      (hu[at]! * (1 - dx) + hu[at + ox]! * dx) * (1 - dy) + (hu[at + oy]! * (1 - dx) + hu[at + oy + ox]! * dx) * dy;
    const far = at + oz;
    if (hu[at] === MISSING || hu[far] === MISSING) {
      out[p] = MISSING;
      continue;
    }
    const deep =
      (hu[far]! * (1 - dx) + hu[far + ox]! * dx) * (1 - dy) + (hu[far + oy]! * (1 - dx) + hu[far + oy + ox]! * dx) * dy;
    out[p] = Math.round(near * (1 - dz) + deep * dz);
  }
}

const LETTERS = [
  ["L", "R"],
  ["P", "A"],
  ["S", "I"],
] as const;

/** The side of the body that a vector points to, e.g. "LA"; `lps` is the grid's matrix. */
export function lettersOf(v: Vector, lps: Matrix): string {
  const columns = perAxis((n) => {
    const c = perAxis((row) => lps[row][n]);
    const length = Math.hypot(...c) || 1;
    return perAxis((row) => c[row] / length);
  });
  const [c0, c1, c2] = columns;
  const towards = perAxis((row) => c0[row] * v[0] + c1[row] * v[1] + c2[row] * v[2]);
  return [...AXES]
    .filter((axis) => Math.abs(towards[axis]) > 0.35)
    .sort((p, q) => Math.abs(towards[q]) - Math.abs(towards[p]))
    .slice(0, 2)
    .map((axis) => LETTERS[axis][towards[axis] > 0 ? 0 : 1])
    .join("");
}
