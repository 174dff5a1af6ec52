/** Off the main thread: HTJ2K slices to HU, and the preview to slices of the scan. */

import openjph from "@cornerstonejs/codec-openjph";
import wasmUrl from "@cornerstonejs/codec-openjph/wasm?url";
import { enlarge, type Preview } from "./enlarge";
import { findDamaged } from "./sums";
import { MISSING } from "./volume";

export type DecodeRequest =
  | {
      readonly id: number;
      readonly kind: "slices";
      readonly bytes: Uint8Array;
      readonly lengths: readonly number[];
      readonly voxels: number;
      /** Taken from every unsigned value; 0: the values are signed. */ readonly offset: number;
      readonly sums: Uint8Array | null;
    }
  | { readonly id: number; readonly kind: "inflate"; readonly bytes: Uint8Array }
  | {
      readonly id: number;
      readonly kind: "enlarge";
      readonly preview: Preview;
      readonly to: readonly number[];
      readonly z0: number;
      readonly z1: number;
    };

export type DecodeReply =
  | { readonly id: number; readonly data: Int16Array | Uint8Array | Decoded }
  | { readonly id: number; readonly error: string };

/** Values of slices, and the places of those that are damaged: they hold nothing but `MISSING`. */
export interface Decoded {
  readonly hu: Int16Array;
  readonly damaged: readonly number[];
}

let codec: ReturnType<typeof openjph> | null = null;

/** Codestreams one after the other to `n × voxels` values less `offset`. Each is compared with its sum before it is decoded. */
async function decodeSlices(
  bytes: Uint8Array,
  lengths: readonly number[],
  voxels: number,
  offset: number,
  sums: Uint8Array | null,
): Promise<Decoded> {
  const damaged = new Set(sums ? await findDamaged(bytes, lengths, sums) : []);
  codec ??= openjph({ locateFile: () => wasmUrl });
  const { HTJ2KDecoder } = await codec;
  const out = new Int16Array(lengths.length * voxels);
  const view = new Uint8Array(out.buffer);
  const decoder = new HTJ2KDecoder();
  try {
    lengths.forEach((length, n) => {
      if (damaged.has(n)) return;
      const start = lengths.slice(0, n).reduce((sum, l) => sum + l, 0);
      decoder.getEncodedBuffer(length).set(bytes.subarray(start, start + length));
      decoder.decode();
      const decoded = decoder.getDecodedBuffer();
      if (decoded.length !== voxels * 2)
        throw new Error("A slice of the volume pack has another size than its index says.");
      view.set(decoded, n * voxels * 2);
    });
  } finally {
    decoder.delete();
  }
  if (offset) for (let n = 0; n < out.length; n++) out[n] = (out[n] & 0xffff) - offset;
  for (const n of damaged) out.fill(MISSING, n * voxels, (n + 1) * voxels);
  return { hu: out, damaged: [...damaged] };
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
        ? await decodeSlices(data.bytes, data.lengths, data.voxels, data.offset, data.sums)
        : data.kind === "inflate"
          ? await inflate(data.bytes)
          : enlarge(data.preview, data.to, data.z0, data.z1);
    post({ id: data.id, data: done }, ["hu" in done ? done.hu.buffer : done.buffer]);
  } catch (error) {
    post({ id: data.id, error: error instanceof Error ? error.message : String(error) });
  }
};
