/** The 32³ chunks of a labelmap (docs/formats.md): payload of one chunk, and where chunks lie. */

import { type Zyx, perAxis } from "./types";

export const CHUNK = 32;
export const CHUNK_VOXELS = CHUNK ** 3;
const ROWS = CHUNK ** 2;
export const LONGEST_PAYLOAD = 1 + 256 + CHUNK_VOXELS;

/** Bytes that break the format. */
export class FormatError extends Error {}

export const gridOf = (shape: Zyx): Zyx => [
  Math.ceil(shape[0] / CHUNK),
  Math.ceil(shape[1] / CHUNK),
  Math.ceil(shape[2] / CHUNK),
];

/** Bits of a voxel in a chunk of so many values. */
export const bitsFor = (count: number): number => (count <= 2 ? 1 : count <= 4 ? 2 : count <= 16 ? 4 : 8);

/** The payload of the 32 768 voxels of a chunk. */
export function encodeChunk(voxels: Uint8Array): Uint8Array {
  const present = new Uint8Array(256);
  for (let n = 0; n < CHUNK_VOXELS; n++) present[voxels[n]!] = 1;
  const indexOf = new Uint8Array(256);
  const values: number[] = [];
  for (let value = 0; value < 256; value++)
    if (present[value]) {
      indexOf[value] = values.length;
      values.push(value);
    }
  const count = values.length;
  if (count === 1) return Uint8Array.of(1, ...values);
  const bits = bitsFor(count);
  const payload = new Uint8Array(1 + count + ROWS * 4 * bits);
  payload[0] = count & 255;
  payload.set(values, 1);
  const body = payload.subarray(1 + count);
  const perByte = 8 / bits;
  for (let n = 0, voxel = 0; n < body.length; n++) {
    let byte = 0;
    for (let digit = 0; digit < perByte; digit++) byte |= indexOf[voxels[voxel++]!]! << (digit * bits);
    body[n] = byte;
  }
  const rowBytes = 4 * bits;
  for (let n = body.length - 1; n >= rowBytes; n--) body[n]! ^= body[n - rowBytes]!;
  return payload;
}

/** The 32 768 voxels of a payload, into `out` where given. Throws `FormatError`. */
export function decodeChunk(payload: Uint8Array, out = new Uint8Array(CHUNK_VOXELS)): Uint8Array {
  if (payload.length === 0) throw new FormatError("The payload of a chunk is empty.");
  const count = payload[0] || 256;
  const bits = bitsFor(count);
  if (payload.length !== 1 + count + (count > 1 ? ROWS * 4 * bits : 0)) {
    throw new FormatError(`The payload of a chunk has ${payload.length} bytes; its values say otherwise.`);
  }
  for (let n = 2; n <= count; n++) {
    if (payload[n]! <= payload[n - 1]!) throw new FormatError("The values of a chunk are not in ascending order.");
  }
  if (count === 1) return out.fill(payload[1]!);
  const values = payload.subarray(1, 1 + count);
  const body = payload.slice(1 + count);
  const rowBytes = 4 * bits;
  for (let n = rowBytes; n < body.length; n++) body[n]! ^= body[n - rowBytes]!;
  const perByte = 8 / bits,
    mask = (1 << bits) - 1;
  for (let n = 0, voxel = 0; n < body.length; n++) {
    for (let digit = 0; digit < perByte; digit++) {
      const index = (body[n]! >> (digit * bits)) & mask;
      if (index >= count) throw new FormatError("A chunk names a value that it does not have.");
      out[voxel++] = values[index]!;
    }
  }
  return out;
}

/** The part of a chunk that lies inside the volume: origin and size, in voxels. */
export function extentOf(
  shape: Zyx,
  index: Zyx,
): { z: number; y: number; x: number; depth: number; height: number; width: number } {
  const [z, y, x] = [index[0] * CHUNK, index[1] * CHUNK, index[2] * CHUNK];
  return {
    z,
    y,
    x,
    depth: Math.min(CHUNK, shape[0] - z),
    height: Math.min(CHUNK, shape[1] - y),
    width: Math.min(CHUNK, shape[2] - x),
  };
}

/** Throws `FormatError` for a chunk outside the shape, and for voxels set beyond the volume's edge. */
export function checkExtent(shape: Zyx, index: Zyx, voxels: Uint8Array): void {
  const grid = gridOf(shape);
  if (
    perAxis((axis) => Number.isInteger(index[axis]) && index[axis] >= 0 && index[axis] < grid[axis]).includes(false)
  ) {
    throw new FormatError(`Chunk [${index.join(", ")}] lies outside the volume.`);
  }
  const { depth, height, width } = extentOf(shape, index);
  if (depth === CHUNK && height === CHUNK && width === CHUNK) return;
  for (let n = 0; n < CHUNK_VOXELS; n++) {
    if (voxels[n] && (n % CHUNK >= width || ((n >> 5) & 31) >= height || n >> 10 >= depth)) {
      throw new FormatError(`Chunk [${index.join(", ")}] sets voxels beyond the edge of the volume.`);
    }
  }
}
