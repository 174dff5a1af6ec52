/**
 * Planes that stand askew in the volume. All vectors are millimetres along the grid's axes i, j, k (an orthogonal frame that
 * differs from LPS only by a rotation); places are continuous voxel coordinates, the middle of a voxel at +0.5.
 */

import type { Cut } from "../../editor/cut";
import type { Zyx } from "../../editor/types";
import { MISSING } from "../load/volume";
import type { SlabKind } from "./slab";

export type Vector = readonly [number, number, number];

/** Which way a pane looks: unit vectors towards its right, its bottom, and across. */
export interface Frame {
  readonly right: Vector;
  readonly down: Vector;
  readonly normal: Vector;
}

/** A raster over an oblique plane; pixel (0, 0) has its outer corner at (`a0`, `b0`) mm from the centre along right and down. */
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
  return [0, 1, 2].map((n) => v[n] * c + side[n] * s + axis[n] * along) as unknown as Vector;
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
  for (let corner = 0; corner < 8; corner++) {
    const mm = [shape[2], shape[1], shape[0]].map(
      (n, axis) => (((corner >> axis) & 1 ? n : 0) - centre[axis]) * spacing[axis],
    ) as unknown as Vector;
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
  const per = (v: Vector) => v.map((n, axis) => (n * mm) / spacing[axis]) as unknown as Vector;
  const column = per(frame.right),
    row = per(frame.down);
  const a = a0 / mm + 0.5,
    b = b0 / mm + 0.5;
  return {
    start: centre.map((c, axis) => c + column[axis] * a + row[axis] * b) as unknown as Vector,
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
 * Row `b` of an oblique plane into `out`, which holds the whole picture: HU, trilinear between the middles of the voxels. With
 * `slab`, the brightest, darkest or mean of planes one finest voxel apart through `slab.mm`.
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
  const finest = Math.min(...spacing);
  const side = Math.min(8, Math.max(1, Math.round((slab.mm / finest - 1) / 2)));
  const step = Math.max(finest, slab.mm / (2 * side + 1));
  const sums = new Float32Array(slab.kind === "average" ? width : 0);
  const part = new Int16Array(width);
  const gone = new Uint8Array(width);
  for (let n = -side; n <= side; n++) {
    const at = centre.map((c, axis) => c + (frame.normal[axis] * n * step) / spacing[axis]) as unknown as Vector;
    planeRow(picture, at, b, part);
    for (let p = 0; p < width; p++) if (part[p] === MISSING) gone[p] = 1;
    if (slab.kind === "average") for (let p = 0; p < width; p++) sums[p] += part[p];
    else if (n === -side) line.set(part);
    else if (slab.kind === "mip") {
      for (let p = 0; p < width; p++) if (part[p] > line[p]) line[p] = part[p];
    } else for (let p = 0; p < width; p++) if (part[p] < line[p]) line[p] = part[p];
  }
  if (slab.kind === "average") for (let p = 0; p < width; p++) line[p] = Math.round(sums[p] / (2 * side + 1));
  for (let p = 0; p < width; p++) if (gone[p]) line[p] = MISSING;
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
      (hu[at] * (1 - dx) + hu[at + ox] * dx) * (1 - dy) + (hu[at + oy] * (1 - dx) + hu[at + oy + ox] * dx) * dy;
    const far = at + oz;
    if (hu[at] === MISSING || hu[far] === MISSING) {
      out[p] = MISSING;
      continue;
    }
    const deep =
      (hu[far] * (1 - dx) + hu[far + ox] * dx) * (1 - dy) + (hu[far + oy] * (1 - dx) + hu[far + oy + ox] * dx) * dy;
    out[p] = Math.round(near * (1 - dz) + deep * dz);
  }
}

const LETTERS = [
  ["L", "R"],
  ["P", "A"],
  ["S", "I"],
] as const;

/** The side of the body that a vector points to, e.g. "LA"; `lps` is the grid's matrix. */
export function lettersOf(v: Vector, lps: readonly (readonly number[])[]): string {
  const columns = [0, 1, 2].map((n) => {
    const c = [lps[0][n], lps[1][n], lps[2][n]];
    const length = Math.hypot(...c) || 1;
    return c.map((m) => m / length);
  });
  const towards = [0, 1, 2].map((row) => columns.reduce((sum, c, n) => sum + c[row] * v[n], 0));
  return [0, 1, 2]
    .filter((axis) => Math.abs(towards[axis]) > 0.35)
    .sort((p, q) => Math.abs(towards[q]) - Math.abs(towards[p]))
    .slice(0, 2)
    .map((axis) => LETTERS[axis][towards[axis] > 0 ? 0 : 1])
    .join("");
}
