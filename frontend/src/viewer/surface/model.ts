/** The surfaces of all segments, in bricks of a few layers, so that a stroke makes anew only what it touched. */

import { type CoarseField, type Matrix, perAxis } from "../../editor/types";
import { blur, netOf, type Field, type Mesh } from "./nets";
import type { Body } from "./raster";

/** Layers of blocks in a brick. */
const BRICK = 12;
/** A block counts as inside from this share on, after the blur: low enough that small nodules stay. */
const ISO = 0.38 * 255;

export interface Grid {
  /** Blocks, zyx, and voxels a block. */
  readonly size: readonly [number, number, number];
  readonly step: readonly [number, number, number];
  readonly spacingMmZyx: readonly [number, number, number];
  readonly shapeZyx: readonly [number, number, number];
  readonly lpsFromIjk: Matrix;
}

export class SurfaceModel {
  /** By segment: the layers that hold anything. */
  readonly #layers = new Map<number, Map<number, Uint8Array>>();
  readonly #bricks = new Map<string, Body>();
  readonly #stale = new Set<string>();

  constructor(readonly grid: Grid) {}

  /** New fills of layers `from` <= z < `to`, which are kept as they are; what is not named is empty there. */
  put(from: number, to: number, fields: readonly CoarseField[]): void {
    for (const { segment } of fields) if (!this.#layers.has(segment)) this.#layers.set(segment, new Map());
    for (const [segment, layers] of this.#layers) {
      const now = new Map(fields.filter((f) => f.segment === segment).map(({ layer, data }) => [layer, data]));
      for (let z = from; z < to; z++) {
        const layer = now.get(z);
        const had = layers.has(z);
        if (layer?.some((v) => v > 0)) layers.set(z, layer);
        else if (!layers.delete(z)) continue;
        if (had || layers.has(z))
          for (let near = z - 2; near <= z + 2; near++) this.#stale.add(`${segment}/${Math.floor(near / BRICK)}`);
      }
    }
  }

  /** Surfaces by segment, those that have changed made anew. */
  bodies(): [segment: number, body: Body][] {
    for (const key of this.#stale) {
      const [segment = 0, brick = 0] = key.split("/").map(Number);
      const body = this.#brick(segment, brick);
      if (body) this.#bricks.set(key, body);
      else this.#bricks.delete(key);
    }
    this.#stale.clear();
    return [...this.#bricks].map(([key, body]) => [Number(key.split("/")[0]), body]);
  }

  /** Drops what the surfaces were made of; what is put later must be whole. */
  keepBodiesOnly(): void {
    this.#layers.clear();
  }

  #brick(segment: number, brick: number): Body | null {
    const layers = this.#layers.get(segment);
    if (!layers || brick < -1) return null;
    const [, rows, columns] = this.grid.size;
    // Two layers more on both sides for the blur, and one empty block all round, so that surfaces close at the volume's
    // edge.
    const first = brick * BRICK,
      z0 = first - 3,
      depth = BRICK + 6;
    let top = Infinity,
      bottom = -1,
      left = Infinity,
      right = -1;
    for (let z = z0; z < z0 + depth; z++) {
      const layer = layers.get(z);
      if (!layer) continue;
      for (let y = 0, at = 0; y < rows; y++)
        for (let x = 0; x < columns; x++, at++)
          if (layer[at]) {
            top = Math.min(top, y);
            bottom = Math.max(bottom, y);
            left = Math.min(left, x);
            right = Math.max(right, x);
          }
    }
    if (bottom < 0) return null;
    const [y0, x0] = [top - 2, left - 2];
    const size = [depth, bottom - top + 5, right - left + 5] as const;
    const data = new Float32Array(size[0] * size[1] * size[2]);
    for (let z = 0; z < depth; z++) {
      const layer = layers.get(z0 + z);
      if (!layer) continue;
      for (let y = top; y <= bottom; y++) {
        const to = (z * size[1] + (y - y0)) * size[2] + (left - x0);
        for (let x = left; x <= right; x++) data[to + x - left] = layer[y * columns + x]!;
      }
    }
    const field: Field = blur({ size, data });
    const { step, spacingMmZyx: spacing } = this.grid;
    const mesh = netOf(field, ISO, [step[2] * spacing[2], step[1] * spacing[1], step[0] * spacing[0]], 3, 3 + BRICK);
    return mesh.triangles.length ? this.#placed(mesh, x0, y0, z0) : null;
  }

  /** From blocks to mm round the volume's middle. */
  #placed({ positions, normals, triangles }: Mesh, x0: number, y0: number, z0: number): Body {
    const { step, shapeZyx: shape, spacingMmZyx: spacing, lpsFromIjk: lps } = this.grid;
    const points = new Float32Array(positions.length),
      turned = new Float32Array(normals.length);
    const [l, p, s] = lps;
    for (let n = 0; n < positions.length; n += 3) {
      const i = (positions[n]! + x0 + 0.5) * step[2] - shape[2] / 2;
      const j = (positions[n + 1]! + y0 + 0.5) * step[1] - shape[1] / 2;
      const k = (positions[n + 2]! + z0 + 0.5) * step[0] - shape[0] / 2;
      points[n] = l[0] * i + l[1] * j + l[2] * k;
      points[n + 1] = p[0] * i + p[1] * j + p[2] * k;
      points[n + 2] = s[0] * i + s[1] * j + s[2] * k;
      const gx = normals[n]! / spacing[2],
        gy = normals[n + 1]! / spacing[1],
        gz = normals[n + 2]! / spacing[0];
      turned[n] = l[0] * gx + l[1] * gy + l[2] * gz;
      turned[n + 1] = p[0] * gx + p[1] * gy + p[2] * gz;
      turned[n + 2] = s[0] * gx + s[1] * gy + s[2] * gz;
    }
    return { points, normals: turned, triangles };
  }
}

/** Blocks of about `mm`, never more than `most` of them. */
export function gridOf(
  geometry: Pick<Grid, "shapeZyx" | "spacingMmZyx" | "lpsFromIjk">,
  mm: number,
  most = 12_000_000,
): Grid {
  const { shapeZyx: shape, spacingMmZyx: spacing, lpsFromIjk } = geometry;
  for (let target = mm; ; target *= 1.2) {
    const step = perAxis((axis) => Math.max(1, Math.round(target / spacing[axis])));
    const size = perAxis((axis) => Math.ceil(shape[axis] / step[axis]));
    if (size[0] * size[1] * size[2] <= most) return { size, step, spacingMmZyx: spacing, shapeZyx: shape, lpsFromIjk };
  }
}
