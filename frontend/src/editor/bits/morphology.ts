/** Opening, closing, erosion and dilation on bit-packed rows. */

import type { BitFrame, Bits, Range } from "./frame";

/** One row of a structuring element: it reaches `half` voxels to both sides along x. */
export interface ElementRow {
  readonly dz: number;
  readonly dy: number;
  readonly half: number;
}

/** Opening by an element; `null` when nothing is left. */
export function opened(frame: BitFrame, bits: Bits, element: readonly ElementRow[]): Bits | null {
  const range = frame.range(bits);
  if (!range) return null;
  const core = erode(frame, bits, element, range);
  const left = frame.range(core, range);
  return left && dilate(frame, core, element, frame.widen(left, reach(element)), left);
}

/** Closing by an element; the result may hold bits outside the box, as far as the margin goes. */
export function closed(frame: BitFrame, bits: Bits, element: readonly ElementRow[]): Bits {
  const range = frame.range(bits);
  if (!range) return bits;
  const wide = frame.widen(range, reach(element));
  return erode(frame, dilate(frame, bits, element, wide, range), element, wide);
}

/** Rows of `source` eroded or dilated along x by 0, 1, 2, … voxels, as many as the element needs. */
function alongX(frame: BitFrame, source: Bits, element: readonly ElementRow[], range: Range, grow: boolean): Bits[] {
  const { words, height } = frame;
  const most = element.reduce((half, row) => Math.max(half, row.half), 0);
  const steps = [source];
  for (let step = 1; step <= most; step++) {
    const from = steps[step - 1]!,
      to = frame.create();
    for (let z = range.z0; z < range.z1; z++) {
      for (let row = (z * height + range.y0) * words, end = (z * height + range.y1) * words; row < end; row += words) {
        for (let w = 0; w < words; w++) {
          const bits = from[row + w]!;
          const up = (bits << 1) | (w > 0 ? from[row + w - 1]! >>> 31 : 0);
          const down = (bits >>> 1) | (w + 1 < words ? from[row + w + 1]! << 31 : 0);
          to[row + w] = grow ? (bits | up | down) & frame.valid[w]! : bits & up & down;
        }
      }
    }
    steps.push(to);
  }
  return steps;
}

/** Erosion of the rows of `range`, where all of `bits` lies; zeros lie beyond the frame. */
export function erode(frame: BitFrame, bits: Bits, element: readonly ElementRow[], range: Range): Bits {
  const { words, height, depth } = frame;
  const thinned = alongX(frame, bits, element, range, false);
  const out = frame.create();
  for (let z = range.z0; z < range.z1; z++) {
    for (let y = range.y0; y < range.y1; y++) {
      const at = (z * height + y) * words;
      for (let w = 0; w < words; w++) {
        let all = -1;
        for (let n = 0; n < element.length && all !== 0; n++) {
          const row = element[n]!,
            zz = z + row.dz,
            yy = y + row.dy;
          const inside = zz >= 0 && zz < depth && yy >= 0 && yy < height;
          all &= inside ? thinned[row.half]![(zz * height + yy) * words + w]! : 0;
        }
        out[at + w] = all;
      }
    }
  }
  return out;
}

/** Dilation: `range` are the rows to compute, `source` those where `bits` may be set. */
export function dilate(frame: BitFrame, bits: Bits, element: readonly ElementRow[], range: Range, source: Range): Bits {
  const { words, height } = frame;
  const widened = alongX(frame, bits, element, source, true);
  const out = frame.create();
  for (let z = range.z0; z < range.z1; z++) {
    for (let y = range.y0; y < range.y1; y++) {
      const at = (z * height + y) * words;
      for (let n = 0; n < element.length; n++) {
        const row = element[n]!,
          zz = z + row.dz,
          yy = y + row.dy;
        if (zz < source.z0 || zz >= source.z1 || yy < source.y0 || yy >= source.y1) continue;
        const from = (zz * height + yy) * words,
          wide = widened[row.half]!;
        for (let w = 0; w < words; w++) out[at + w]! |= wide[from + w]!;
      }
    }
  }
  return out;
}

const reach = (element: readonly ElementRow[]): number =>
  element.reduce((most, row) => Math.max(most, Math.abs(row.dz), Math.abs(row.dy)), 0);
