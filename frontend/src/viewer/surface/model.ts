/** The surfaces of all segments, in bricks of a few layers, so that a stroke makes anew only what it touched. */

import type { CoarseField } from "../../editor/types";
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
  readonly lpsFromIjk: readonly (readonly number[])[];
}

export class SurfaceModel {
  /** By segment: the layers that hold anything. */
  readonly #layers = new Map<number, Map<number, Uint8Array>>();
  readonly #bricks = new Map<string, Body>();
  readonly #stale = new Set<string>();

  constructor(readonly grid: Grid) {}

  /** New fills of layers `from` <= z < `to`; segments that are not named are empty there. */
  put(from: number, to: number, fields: readonly CoarseField[]): void {
    const [, rows, columns] = this.grid.size;
    const area = rows * columns;
    for (const { segment } of fields) if (!this.#layers.has(segment)) this.#layers.set(segment, new Map());
    for (const [segment, layers] of this.#layers) {
      const data = fields.find((f) => f.segment === segment)?.data;
      for (let z = from; z < to; z++) {
        const layer = data?.subarray((z - from) * area, (z - from + 1) * area);
        const had = layers.has(z);
        if (layer?.some((v) => v > 0)) layers.set(z, layer.slice());
        else if (!layers.delete(z)) continue;
        if (had || layers.has(z))
          for (let near = z - 2; near <= z + 2; near++) this.#stale.add(`${segment}/${Math.floor(near / BRICK)}`);
      }
    }
  }

  /** Surfaces by segment, those that have changed made anew. */
  bodies(): [segment: number, body: Body][] {
    for (const key of this.#stale) {
      const [segment, brick] = key.split("/").map(Number);
      const body = this.#brick(segment, brick);
      if (body) this.#bricks.set(key, body);
      else this.#bricks.delete(key);
    }
    this.#stale.clear();
    return [...this.#bricks].map(([key, body]) => [Number(key.split("/")[0]), body]);
  }

  #brick(segment: number, brick: number): Body | null {
    const layers = this.#layers.get(segment);
    if (!layers || brick < -1) return null;
    const [, rows, columns] = this.grid.size;
    // Two layers more on both sides for the blur, and one empty block all round, so that surfaces close at the volume's edge.
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
        for (let x = left; x <= right; x++) data[to + x - left] = layer[y * columns + x];
      }
    }
    const field: Field = blur({ size, data });
    const [sz, sy, sx] = this.grid.step.map((n, axis) => n * this.grid.spacingMmZyx[axis]);
    const mesh = netOf(field, ISO, [sx, sy, sz], 3, 3 + BRICK);
    return mesh.triangles.length ? this.#placed(mesh, x0, y0, z0) : null;
  }

  /** From blocks to mm round the volume's middle. */
  #placed({ positions, normals, triangles }: Mesh, x0: number, y0: number, z0: number): Body {
    const { step, shapeZyx: shape, spacingMmZyx: spacing, lpsFromIjk: lps } = this.grid;
    const points = new Float32Array(positions.length),
      turned = new Float32Array(normals.length);
    for (let n = 0; n < positions.length; n += 3) {
      const i = (positions[n] + x0 + 0.5) * step[2] - shape[2] / 2;
      const j = (positions[n + 1] + y0 + 0.5) * step[1] - shape[1] / 2;
      const k = (positions[n + 2] + z0 + 0.5) * step[0] - shape[0] / 2;
      const [gx, gy, gz] = [normals[n] / spacing[2], normals[n + 1] / spacing[1], normals[n + 2] / spacing[0]];
      for (let row = 0; row < 3; row++) {
        points[n + row] = lps[row][0] * i + lps[row][1] * j + lps[row][2] * k;
        turned[n + row] = lps[row][0] * gx + lps[row][1] * gy + lps[row][2] * gz;
      }
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
    const step = spacing.map((s) => Math.max(1, Math.round(target / s))) as unknown as Grid["step"];
    const size = shape.map((n, axis) => Math.ceil(n / step[axis])) as unknown as Grid["size"];
    if (size[0] * size[1] * size[2] <= most) return { size, step, spacingMmZyx: spacing, shapeZyx: shape, lpsFromIjk };
  }
}
