/** Two decode workers behind promises; bytes handed in are transferred (the caller's copy becomes empty). */

import type { Decoded, DecodeReply, DecodeRequest } from "./decode.worker";
import type { Preview } from "./enlarge";
import { type Zyx } from "../editor/types";

type Ask = DecodeRequest extends infer R ? (R extends { id: number } ? Omit<R, "id"> : never) : never;

export class Decoder {
  readonly #workers: Worker[] = [];
  readonly #waiting = new Map<number, { resolve: (data: never) => void; reject: (why: Error) => void }>();
  #next = 0;

  constructor(lanes = Math.min(2, navigator.hardwareConcurrency || 1)) {
    for (let n = 0; n < lanes; n++) {
      const worker = new Worker(new URL("./decode.worker.ts", import.meta.url), {
        type: "module",
        name: `decode-${n}`,
      });
      worker.onmessage = ({ data }: MessageEvent<DecodeReply>) => {
        const waiting = this.#waiting.get(data.id);
        this.#waiting.delete(data.id);
        if ("error" in data) waiting?.reject(new Error(data.error));
        else waiting?.resolve(data.data as never);
      };
      worker.onerror = (event) => {
        for (const { reject } of this.#waiting.values())
          reject(new Error(event.message || "A decoder could not start."));
        this.#waiting.clear();
      };
      this.#workers.push(worker);
    }
  }

  /**
   * HU less `offset` of HTJ2K slices that lie one after the other, `lengths.length × voxels` values; those that do not
   * fit `sums` are told. With `into`, shared memory of that size, they are written there.
   */
  decode(
    bytes: Uint8Array,
    lengths: readonly number[],
    voxels: number,
    offset: number,
    sums: Uint8Array | null,
    into: Int16Array | null,
  ): Promise<Decoded> {
    return this.#run({ kind: "slices", bytes, lengths, voxels, offset, sums, into }, [bytes.buffer]);
  }

  /** 8-bit values of HTJ2K slices that lie one after the other, `lengths.length × voxels`. */
  decodePreview(bytes: Uint8Array, lengths: readonly number[], voxels: number): Promise<Uint8Array> {
    return this.#run({ kind: "preview", bytes, lengths, voxels }, [bytes.buffer]);
  }

  /** The preview of a scan from before previews were coded. */
  inflate(bytes: Uint8Array): Promise<Uint8Array> {
    return this.#run({ kind: "inflate", bytes }, [bytes.buffer]);
  }

  /** Slices z0 <= z < z1 of the scan, from its preview. */
  enlarge(preview: Preview, to: Zyx, z0: number, z1: number): Promise<Int16Array> {
    return this.#run({ kind: "enlarge", preview, to, z0, z1 });
  }

  #run<T>(ask: Ask, transfer: ArrayBufferLike[] = []): Promise<T> {
    const id = this.#next++;
    const worker = this.#workers[id % this.#workers.length];
    if (!worker) return Promise.reject(new Error("The decoder has no worker."));
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ ...ask, id }, transfer as ArrayBuffer[]);
    });
  }

  close(): void {
    for (const worker of this.#workers) worker.terminate();
  }
}
