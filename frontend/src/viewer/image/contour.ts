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

/**
 * Loops around every voxel whose label equals `segment`, by marching squares on the voxels' middles: the line runs half-way
 * between a voxel inside and one outside. Each loop is a flat list a0, b0, a1, b1 … in slice coordinates.
 */
export function loopsOf(labels: Uint8Array, width: number, height: number, segment: number): number[][] {
  const at = (x: number, y: number) =>
    x >= 0 && y >= 0 && x < width && y < height && labels[y * width + x] === segment ? 1 : 0;
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
  // Keys of edge middles on a doubled grid; each directed piece runs with the inside on its left.
  const stride = 2 * width + 4;
  const next = new Map<number, number[]>();
  const add = (fx: number, fy: number, tx: number, ty: number) => {
    const from = fy * stride + fx;
    const to = ty * stride + tx;
    const found = next.get(from);
    if (found) found.push(to);
    else next.set(from, [to]);
  };
  for (let y = y0 - 1; y <= y1; y++) {
    for (let x = x0 - 1; x <= x1; x++) {
      const kind = at(x, y) | (at(x + 1, y) << 1) | (at(x + 1, y + 1) << 2) | (at(x, y + 1) << 3);
      if (kind === 0 || kind === 15) continue;
      // Doubled coordinates of voxel middles are 2x + 2 (shifted to stay positive); edge middles lie between.
      const l = 2 * x + 2,
        t = 2 * y + 2;
      const top = [l + 1, t],
        right = [l + 2, t + 1],
        bottom = [l + 1, t + 2],
        left = [l, t + 1];
      const piece = (p: number[], q: number[]) => add(p[0], p[1], q[0], q[1]);
      switch (kind) {
        case 1:
          piece(left, top);
          break;
        case 2:
          piece(top, right);
          break;
        case 3:
          piece(left, right);
          break;
        case 4:
          piece(right, bottom);
          break;
        case 5:
          piece(left, top);
          piece(right, bottom);
          break;
        case 6:
          piece(top, bottom);
          break;
        case 7:
          piece(left, bottom);
          break;
        case 8:
          piece(bottom, left);
          break;
        case 9:
          piece(bottom, top);
          break;
        case 10:
          piece(top, right);
          piece(bottom, left);
          break;
        case 11:
          piece(bottom, right);
          break;
        case 12:
          piece(right, left);
          break;
        case 13:
          piece(right, top);
          break;
        case 14:
          piece(top, left);
          break;
      }
    }
  }
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
  for (let p = 0; p < labels.length; p++) counts[labels[p]]++;
  const found: Outlines[] = [];
  for (let segment = 1; segment < 255; segment++) {
    if (counts[segment])
      found.push({ segment, path: pathOf(loopsOf(labels, width, height, segment), scale), pixels: counts[segment] });
  }
  return found;
}

export function pathOf(loops: readonly number[][], scale: LoopScale): Path2D {
  const path = new Path2D();
  for (const loop of loops) {
    path.moveTo(loop[0] * scale.a, loop[1] * scale.b);
    for (let p = 2; p < loop.length; p += 2) path.lineTo(loop[p] * scale.a, loop[p + 1] * scale.b);
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
