/** Flood and holes on bit-packed rows. */

import { type BitFrame, type Bits, MARGIN, type Range } from "./frame";

/** The 6-connected component of box voxel (z, y, x) in `open`, which must hold that voxel. */
export function floodFrom(frame: BitFrame, open: Bits, z: number, y: number, x: number): Bits {
  const found = frame.create();
  frame.set(found, z, y, x);
  const first = (z + MARGIN) * frame.height + y + MARGIN;
  fillRow(frame.words, open, found, first * frame.words);
  spread(frame, open, found, [first], true, frame.whole());
  return found;
}

/** Voxels that `taken` encloses: background that the outside does not reach, 6-connected, or 4-connected by slice. */
export function holesIn(frame: BitFrame, taken: Bits, bySlice: boolean): Bits | null {
  const tight = frame.range(taken);
  if (!tight) return null;
  const { words, height } = frame;
  const within = frame.widen(tight, 1);
  const free = frame.create(),
    outside = frame.create();
  const unreached = enter(frame, taken, within, bySlice, free, outside);
  if (unreached.length === 0) return null;
  const neighbours = bySlice ? [-1, 1] : [-1, 1, -height, height];
  const starts: number[] = [];
  for (const row of unreached) for (const step of neighbours) starts.push(row + step);
  spread(frame, free, outside, starts, !bySlice, within);
  const holes = frame.create();
  let any = 0;
  for (const row of unreached) {
    for (let w = row * words; w < (row + 1) * words; w++) any |= holes[w] = free[w]! & ~outside[w]!;
  }
  return any ? holes : null;
}

/**
 * What is `free` within the range, and what of it lies `outside` as far as one comes from the range's border along
 * rows. Answers the rows of which not everything was reached.
 */
function enter(frame: BitFrame, taken: Bits, within: Range, bySlice: boolean, free: Bits, outside: Bits): number[] {
  const { words, height } = frame;
  const unreached: number[] = [];
  for (let z = within.z0; z < within.z1; z++) {
    const isEnd = !bySlice && (z === within.z0 || z === within.z1 - 1);
    for (let y = within.y0; y < within.y1; y++) {
      const row = z * height + y;
      for (let w = 0; w < words; w++) free[row * words + w] = ~taken[row * words + w]! & frame.valid[w]!;
      if (isEnd || y === within.y0 || y === within.y1 - 1) {
        for (let w = row * words; w < (row + 1) * words; w++) outside[w] = free[w]!;
      } else if (!enterFromSides(frame, free, outside, row * words)) unreached.push(row);
    }
  }
  return unreached;
}

/** From the frame's columns on both sides, which are outside, along a row. Answers whether all of it was reached. */
function enterFromSides({ words, valid }: BitFrame, free: Bits, outside: Bits, at: number): boolean {
  const last = at + words - 1;
  outside[at] = free[at]! & 1;
  outside[last]! |= free[last]! & (valid[words - 1]! ^ (valid[words - 1]! >>> 1));
  fillRow(words, free, outside, at);
  for (let w = at; w <= last; w++) if (free[w] !== outside[w]) return false;
  return true;
}

/** Fills every stretch of `open` in a row that holds a bit of `found`. */
function fillRow(words: number, open: Bits, found: Bits, row: number): void {
  let carry = 0;
  for (let w = row; w < row + words; w++) {
    let p = open[w]!;
    let g = (found[w]! | carry) & p;
    if (g !== 0 && g !== p) {
      g |= p & (g << 1);
      p &= p << 1;
      g |= p & (g << 2);
      p &= p << 2;
      g |= p & (g << 4);
      p &= p << 4;
      g |= p & (g << 8);
      p &= p << 8;
      g |= p & (g << 16);
    }
    found[w] = g;
    carry = g >>> 31;
  }
  carry = 0;
  for (let w = row + words - 1; w >= row; w--) {
    let p = open[w]!;
    let g = (found[w]! | carry) & p;
    if (g !== 0 && g !== p) {
      g |= p & (g >>> 1);
      p &= p >>> 1;
      g |= p & (g >>> 2);
      p &= p >>> 2;
      g |= p & (g >>> 4);
      p &= p >>> 4;
      g |= p & (g >>> 8);
      p &= p >>> 8;
      g |= p & (g >>> 16);
    }
    found[w] = g;
    carry = g << 31;
  }
}

/** Lets `found` spread within `open` from the rows given to their neighbours, until nothing changes. */
function spread(
  frame: BitFrame,
  open: Bits,
  found: Bits,
  starts: readonly number[],
  acrossSlices: boolean,
  within: Range,
): void {
  const { words, height, queue, queued } = frame;
  const size = queue.length;
  let head = 0,
    waiting = 0;
  for (const row of starts) {
    if (queued[row]) continue;
    queued[row] = 1;
    queue[(head + waiting++) % size] = row;
  }
  while (waiting > 0) {
    const row = queue[head]!;
    head = head + 1 === size ? 0 : head + 1;
    waiting--;
    queued[row] = 0;
    const from = row * words;
    for (let side = 0; side < (acrossSlices ? 4 : 2); side++) {
      const next = neighbourOf(row, side, height, within);
      if (next < 0 || !flow(words, open, found, from, next * words)) continue;
      fillRow(words, open, found, next * words);
      if (!queued[next]) {
        queued[next] = 1;
        let slot = head + waiting++;
        if (slot >= size) slot -= size;
        queue[slot] = next;
      }
    }
  }
}

/** The row above, below, before or behind (`side` 0 to 3); -1 beyond the range. */
function neighbourOf(row: number, side: number, height: number, within: Range): number {
  const y = row % height;
  if (side === 0) return y > within.y0 ? row - 1 : -1;
  if (side === 1) return y + 1 < within.y1 ? row + 1 : -1;
  const z = (row - y) / height;
  if (side === 2) return z > within.z0 ? row - height : -1;
  return z + 1 < within.z1 ? row + height : -1;
}

/** From one row into what is open of the next, straight across. False where nothing new is found. */
function flow(words: number, open: Bits, found: Bits, from: number, to: number): boolean {
  let any = 0;
  for (let w = 0; w < words; w++) {
    const fresh = found[from + w]! & open[to + w]! & ~found[to + w]!;
    found[to + w]! |= fresh;
    any |= fresh;
  }
  return any !== 0;
}
