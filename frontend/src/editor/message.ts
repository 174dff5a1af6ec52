/** The mask message (docs/formats.md): gzip of magic, header and the payloads of chunks. */

import { type Accepted, isAccepted } from "./accepted";
import { CHUNK_VOXELS, FormatError, LONGEST_PAYLOAD, checkExtent, decodeChunk, gridOf } from "./chunks";
import { voxelsOf } from "./geometry";
import type { Stroke, Zyx } from "./types";

export const MEDIA_TYPE = "application/vnd.voxloop.mask";
const LONGEST_HEADER = 4 << 20;
const MAGIC = "VXM1";

export interface MaskMessage {
  readonly layer: string;
  readonly shapeZyx: Zyx;
  /** Payloads by chunk index; checked. */
  readonly chunks: readonly { readonly index: Zyx; readonly payload: Uint8Array }[];
  readonly strokes: readonly unknown[];
  /** Of an answer of the server. */
  readonly accepted?: readonly Accepted[];
}

async function through(
  bytes: Uint8Array,
  transform: CompressionStream | DecompressionStream,
  most: number,
): Promise<Uint8Array> {
  const reader = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(transform).getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    size += step.value.length;
    if (size > most) {
      await reader.cancel();
      throw new FormatError("The message inflates to more than it may hold.");
    }
    parts.push(step.value);
  }
  const out = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export const gzip = (bytes: Uint8Array): Promise<Uint8Array> => through(bytes, new CompressionStream("gzip"), Infinity);

export async function gunzip(bytes: Uint8Array, most = Infinity): Promise<Uint8Array> {
  try {
    return await through(bytes, new DecompressionStream("gzip"), most);
  } catch (error) {
    throw error instanceof FormatError ? error : new FormatError("The bytes are not gzip.");
  }
}

/** The inflated bytes of a message; the payloads are copied, so that the labelmap may change afterwards. */
export function layOut(
  layer: string,
  shapeZyx: Zyx,
  chunks: MaskMessage["chunks"],
  strokes: readonly Stroke[],
  accepted: readonly Accepted[] = [],
): Uint8Array {
  const header = new TextEncoder().encode(
    JSON.stringify({
      version: 1,
      layer,
      shape_zyx: shapeZyx,
      chunks: chunks.map(({ index, payload }) => [...index, payload.length]),
      strokes,
      ...(accepted.length ? { accepted } : {}),
    }),
  );
  const out = new Uint8Array(8 + header.length + chunks.reduce((sum, chunk) => sum + chunk.payload.length, 0));
  out.set(new TextEncoder().encode(MAGIC));
  new DataView(out.buffer).setUint32(4, header.length, true);
  out.set(header, 8);
  let at = 8 + header.length;
  for (const { payload } of chunks) {
    out.set(payload, at);
    at += payload.length;
  }
  return out;
}

/** Reads a message; throws `FormatError` for whatever docs/formats.md says a reader refuses. */
export async function decodeMessage(bytes: Uint8Array, shapeZyx: Zyx): Promise<MaskMessage> {
  const grid = voxelsOf(gridOf(shapeZyx));
  const raw = await gunzip(bytes, 8 + LONGEST_HEADER + grid * LONGEST_PAYLOAD);
  if (raw.length < 8 || new TextDecoder().decode(raw.subarray(0, 4)) !== MAGIC)
    throw new FormatError("The body is not a mask message.");
  const length = new DataView(raw.buffer, raw.byteOffset).getUint32(4, true);
  if (length > LONGEST_HEADER || 8 + length > raw.length)
    throw new FormatError("The header of the mask message is too long.");
  const header = headerOf(raw.subarray(8, 8 + length));
  if (header.version !== 1) throw new FormatError("The mask message has another version.");
  if (!sameNumbers(header.shape_zyx, shapeZyx)) throw new FormatError("The mask has another shape than its scan.");
  const chunks: { index: Zyx; payload: Uint8Array }[] = [];
  const seen = new Set<string>();
  const scratch = new Uint8Array(CHUNK_VOXELS);
  let at = 8 + length;
  for (const entry of header.chunks) {
    if (!Array.isArray(entry) || entry.length !== 4 || !entry.every((n) => Number.isInteger(n) && n >= 0))
      throw new FormatError("The chunk list is malformed.");
    const [z, y, x, size] = entry as [number, number, number, number];
    const name = `${z},${y},${x}`;
    if (seen.has(name)) throw new FormatError(`Chunk [${name}] is listed twice.`);
    seen.add(name);
    if (size > LONGEST_PAYLOAD || at + size > raw.length) throw new FormatError("The mask message ends early.");
    const payload = raw.subarray(at, at + size);
    at += size;
    checkExtent(shapeZyx, [z, y, x], decodeChunk(payload, scratch));
    chunks.push({ index: [z, y, x], payload });
  }
  if (at !== raw.length) throw new FormatError("The mask message is longer than its header says.");
  return { layer: header.layer, shapeZyx, chunks, strokes: header.strokes, accepted: header.accepted };
}

function headerOf(bytes: Uint8Array): {
  version: unknown;
  layer: string;
  shape_zyx: unknown;
  chunks: unknown[];
  strokes: unknown[];
  accepted: Accepted[];
} {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new FormatError("The header of the mask message is not JSON.");
  }
  const { version, layer, shape_zyx, chunks, strokes = [], accepted = [] } = (header ?? {}) as Record<string, unknown>;
  if (typeof layer !== "string" || !Array.isArray(chunks) || !Array.isArray(strokes))
    throw new FormatError("The header of the mask message is malformed.");
  if (!Array.isArray(accepted) || !accepted.every(isAccepted))
    throw new FormatError("The accepted lesions of the mask message are malformed.");
  return { version, layer, shape_zyx, chunks, strokes, accepted };
}

const sameNumbers = (a: unknown, b: Zyx): boolean =>
  Array.isArray(a) && a.length === 3 && a.every((n, axis) => n === b[axis]);
