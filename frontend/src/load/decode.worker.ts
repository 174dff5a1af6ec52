/** Off the main thread: HTJ2K slices to HU, and the preview to slices of the scan. */

import openjph from "@cornerstonejs/codec-openjph";
import wasmUrl from "@cornerstonejs/codec-openjph/wasm?url";
import { letGo } from "../editor/handover";
import { enlarge, type Preview } from "./enlarge";
import { findDamaged } from "./sums";
import { MISSING } from "./volume";
import { type Zyx } from "../editor/types";

export type DecodeRequest =
  | {
      readonly id: number;
      readonly kind: "slices";
      readonly bytes: Uint8Array;
      readonly lengths: readonly number[];
      readonly voxels: number;
      /** Taken from every unsigned value; 0: the values are signed. */
      readonly offset: number;
      readonly sums: Uint8Array | null;
      /** Shared memory for the values; null: they are answered. */
      readonly into: Int16Array | null;
    }
  | {
      readonly id: number;
      readonly kind: "preview";
      readonly bytes: Uint8Array;
      readonly lengths: readonly number[];
      readonly voxels: number;
    }
  | { readonly id: number; readonly kind: "inflate"; readonly bytes: Uint8Array }
  | {
      readonly id: number;
      readonly kind: "enlarge";
      readonly preview: Preview;
      readonly to: Zyx;
      readonly z0: number;
      readonly z1: number;
    };

type SlicesRequest = Extract<DecodeRequest, { kind: "slices" }>;

export type DecodeReply =
  | { readonly id: number; readonly data: Int16Array | Uint8Array | Decoded }
  | { readonly id: number; readonly error: string };

/**
 * Values of slices (null: they were written where they belong), and the indices of those that are damaged: they hold
 * nothing but `MISSING`, or were not written.
 */
export interface Decoded {
  readonly hu: Int16Array | null;
  readonly damaged: readonly number[];
}

// Fetched while the first voxels are on their way: nothing is shown without it.
const codec = openjph({ locateFile: () => wasmUrl });
codec.catch(() => undefined); // told to whoever asks first

/**
 * Codestreams one after the other to `n × voxels` values less `offset`. Each is compared with its sum before it is
 * decoded.
 */
async function decodeSlices({ bytes, lengths, voxels, offset, sums, into }: SlicesRequest): Promise<Decoded> {
  const damaged = new Set(sums ? await findDamaged(bytes, lengths, sums) : []);
  // Somebody may look at what is shared: only final values go there.
  const out = into && !offset ? into : new Int16Array(lengths.length * voxels);
  await decodeInto(new Uint8Array(out.buffer, out.byteOffset, out.byteLength), bytes, lengths, damaged);
  if (offset) for (let n = 0; n < out.length; n++) out[n] = (out[n]! & 0xffff) - offset;
  if (into && offset) putWhole(into, out, voxels, damaged);
  if (into) return { hu: null, damaged: [...damaged] };
  for (const n of damaged) out.fill(MISSING, n * voxels, (n + 1) * voxels);
  return { hu: out, damaged: [...damaged] };
}

/** Copy slices that are not damaged. */
function putWhole(into: Int16Array, from: Int16Array, voxels: number, damaged: ReadonlySet<number>): void {
  for (let n = 0; n * voxels < from.length; n++)
    if (!damaged.has(n)) into.set(from.subarray(n * voxels, (n + 1) * voxels), n * voxels);
}

async function decodePreview(bytes: Uint8Array, lengths: readonly number[], voxels: number): Promise<Uint8Array> {
  const out = new Uint8Array(lengths.length * voxels);
  await decodeInto(out, bytes, lengths, new Set());
  return out;
}

/** Decode codestreams into equal parts of `out`, but for those that are `damaged`. */
async function decodeInto(
  out: Uint8Array,
  bytes: Uint8Array,
  lengths: readonly number[],
  damaged: ReadonlySet<number>,
): Promise<void> {
  const { HTJ2KDecoder } = await codec;
  const size = out.length / lengths.length;
  const decoder = new HTJ2KDecoder();
  try {
    let start = 0;
    lengths.forEach((length, n) => {
      const stream = bytes.subarray(start, start + length);
      start += length;
      if (damaged.has(n)) return;
      decoder.getEncodedBuffer(length).set(stream);
      decoder.decode();
      const decoded = decoder.getDecodedBuffer();
      if (decoded.length !== size) throw new Error("A slice of the scan has another size than its index says.");
      out.set(decoded, n * size);
    });
  } finally {
    decoder.delete();
  }
}

async function inflate(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes as BlobPart]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

self.onmessage = async ({ data }: MessageEvent<DecodeRequest>) => {
  const post = (reply: DecodeReply, transfer: Transferable[] = []) => self.postMessage(reply, { transfer });
  try {
    const done =
      data.kind === "slices"
        ? await decodeSlices(data)
        : data.kind === "preview"
          ? await decodePreview(data.bytes, data.lengths, data.voxels)
          : data.kind === "inflate"
            ? await inflate(data.bytes)
            : enlarge(data.preview, data.to, data.z0, data.z1);
    if ("bytes" in data) letGo(data.bytes);
    const made = "damaged" in done ? done.hu : done;
    post({ id: data.id, data: done }, made ? [made.buffer] : []);
  } catch (error) {
    post({ id: data.id, error: error instanceof Error ? error.message : String(error) });
  }
};
