/** RLE Lossless (PS3.5 G): planes of bytes, the highest first, each packed on its own. */

import { Refusal } from "./refusal";

const HEADER = 64;

const damaged = (): Refusal => new Refusal("bad_pixels", "The compressed pixels of a slice are damaged.");

/** Stored values of one frame in so many bytes each, little endian. Throws `Refusal`. */
export function unpackRle(frame: Uint8Array, pixels: number, bytes: number): Uint8Array {
  if (frame.length < HEADER) throw damaged();
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const planes = view.getUint32(0, true);
  if (planes !== bytes) throw damaged();
  const starts = Array.from({ length: planes }, (_, n) => view.getUint32(4 + 4 * n, true));
  const out = new Uint8Array(pixels * bytes);
  starts.forEach((start, n) => {
    const end = starts[n + 1] ?? frame.length;
    if (start < HEADER || end < start || end > frame.length) throw damaged();
    unpackPlane(frame.subarray(start, end), out, bytes - 1 - n, bytes);
  });
  return out;
}

function unpackPlane(packed: Uint8Array, out: Uint8Array, first: number, step: number): void {
  let to = first;
  for (let at = 0; at < packed.length && to < out.length; ) {
    const code = packed[at++]!;
    if (code === 128) continue;
    const isRun = code > 128;
    const length = isRun ? 257 - code : code + 1;
    if (at + (isRun ? 1 : length) > packed.length) throw damaged();
    for (let n = 0; n < length && to < out.length; n++, to += step) out[to] = packed[isRun ? at : at + n]!;
    at += isRun ? 1 : length;
  }
  if (to < out.length) throw damaged();
}
