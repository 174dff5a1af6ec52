/** Outlines of the segments of a label slice, as closed loops along the voxel borders with the corners cut. */

export interface Outlines {
  readonly segment: number;
  readonly path: Path2D;
  readonly pixels: number;
}

/** Points of the loops are in slice coordinates times these (mm a voxel), so that strokes have one width. */
export interface LoopScale {
  readonly a: number;
  readonly b: number;
}

/** Middles of the edges between four voxels' middles, on a doubled grid: x, y from the upper left one. */
const TOP = [1, 0] as const,
  RIGHT = [2, 1] as const,
  BOTTOM = [1, 2] as const,
  LEFT = [0, 1] as const;
type Piece = readonly [readonly [number, number], readonly [number, number]];

/**
 * Marching squares: the pieces of line between four voxels, by which of them are inside (1 upper left, 2 upper right, 4
 * lower right, 8 lower left). Each runs with the inside on its left.
 */
const PIECES: readonly (readonly Piece[])[] = [
  [],
  [[LEFT, TOP]],
  [[TOP, RIGHT]],
  [[LEFT, RIGHT]],
  [[RIGHT, BOTTOM]],
  [
    [LEFT, TOP],
    [RIGHT, BOTTOM],
  ],
  [[TOP, BOTTOM]],
  [[LEFT, BOTTOM]],
  [[BOTTOM, LEFT]],
  [[BOTTOM, TOP]],
  [
    [TOP, RIGHT],
    [BOTTOM, LEFT],
  ],
  [[BOTTOM, RIGHT]],
  [[RIGHT, LEFT]],
  [[RIGHT, TOP]],
  [[TOP, LEFT]],
  [],
];

/**
 * Loops around every voxel whose label equals `segment`, by marching squares on the voxels' middles: the line runs
 * half-way between a voxel inside and one outside. Each loop is a flat list a0, b0, a1, b1 … in slice coordinates.
 */
export function loopsOf(labels: Uint8Array, width: number, height: number, segment: number): number[][] {
  const at = (x: number, y: number) =>
    x >= 0 && y >= 0 && x < width && y < height && labels[y * width + x] === segment ? 1 : 0;
  const { x0, x1, y0, y1 } = boundsOf(labels, width, height, segment);
  // Where each piece leads, by keys of edge middles on a doubled grid.
  const stride = 2 * width + 4;
  const next = new Map<number, number[]>();
  for (let y = y0 - 1; y <= y1; y++) {
    for (let x = x0 - 1; x <= x1; x++) {
      const kind = at(x, y) | (at(x + 1, y) << 1) | (at(x + 1, y + 1) << 2) | (at(x, y + 1) << 3);
      if (kind === 0 || kind === 15) continue;
      // Doubled coordinates of voxel middles are 2x + 2 (shifted to stay positive); edge middles lie between.
      const corner = (2 * y + 2) * stride + 2 * x + 2;
      for (const [p, q] of PIECES[kind]!) {
        const from = corner + p[1] * stride + p[0],
          to = corner + q[1] * stride + q[0];
        const found = next.get(from);
        if (found) found.push(to);
        else next.set(from, [to]);
      }
    }
  }
  return chained(next, stride);
}

/** The rectangle that holds all of a segment, both ends included; empty (x1 < x0) where there is none. */
function boundsOf(
  labels: Uint8Array,
  width: number,
  height: number,
  segment: number,
): { x0: number; x1: number; y0: number; y1: number } {
  let x0 = width,
    x1 = -1,
    y0 = height,
    y1 = -1;
  for (let y = 0; y < height; y++) {
    for (let x = 0, p = y * width; x < width; x++, p++) {
      if (labels[p] !== segment) continue;
      if (x < x0) x0 = x;
      if (x > x1) x1 = x;
      if (y < y0) y0 = y;
      if (y > y1) y1 = y;
    }
  }
  return { x0, x1, y0, y1 };
}

/** Pieces joined to loops. */
function chained(next: ReadonlyMap<number, number[]>, stride: number): number[][] {
  const loops: number[][] = [];
  for (const [start, ends] of next) {
    while (ends.length) {
      const loop: number[] = [];
      let here = start;
      for (;;) {
        loop.push((here % stride) / 2 - 0.5, Math.floor(here / stride) / 2 - 0.5);
        const onward = next.get(here)?.pop();
        if (onward === undefined || onward === start) break;
        here = onward;
      }
      loops.push(loop);
    }
  }
  return loops;
}

/** The outlines of every segment on a slice, ready to fill (even-odd) and stroke. */
export function outlines(labels: Uint8Array, width: number, height: number, scale: LoopScale): Outlines[] {
  const counts = new Uint32Array(256);
  for (let p = 0; p < labels.length; p++) counts[labels[p]!]!++;
  const found: Outlines[] = [];
  for (let segment = 1; segment < 255; segment++) {
    if (counts[segment])
      found.push({ segment, path: pathOf(loopsOf(labels, width, height, segment), scale), pixels: counts[segment]! });
  }
  return found;
}

export function pathOf(loops: readonly number[][], scale: LoopScale): Path2D {
  const path = new Path2D();
  for (const loop of loops) {
    path.moveTo(loop[0]! * scale.a, loop[1]! * scale.b);
    for (let p = 2; p < loop.length; p += 2) path.lineTo(loop[p]! * scale.a, loop[p + 1]! * scale.b);
    path.closePath();
  }
  return path;
}

/** 1 where only `now` marks, 2 where only `then` does. */
export function difference(now: Uint8Array, then: Uint8Array): Uint8Array {
  const out = new Uint8Array(now.length);
  for (let p = 0; p < now.length; p++) {
    const a = now[p] !== 0 && now[p] !== 255;
    const b = then[p] !== 0 && then[p] !== 255;
    if (a !== b) out[p] = a ? 1 : 2;
  }
  return out;
}
