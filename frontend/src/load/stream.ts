/**
 * Full-resolution slices over a thin line: in runs of neighbours, nearest to the reader's eyes first, a few at a time.
 */

import { Problem } from "../ground/api";
import { t } from "../ground/language";
import { CACHE } from "../ground/caches";
import type { Decoded } from "./decode.worker";
import { fetchKept } from "./shelf";
import type { Decoder } from "./decoder";
import { SUM_BYTES, sumsOf } from "./sums";
import { offsetOf } from "./volume";
import type { VolumeIndex } from "../ground/contract";

/** Bytes of one request: half a second on 5 Mbit/s, so that a jump elsewhere is answered soon. */
const RUN_BYTES = 320_000;
const LANES = 3;
const LONGEST_PAUSE_MS = 15_000;

export interface Run {
  readonly z0: number;
  readonly lengths: readonly number[];
  readonly offset: number;
  readonly bytes: number;
}

/** Cut a pack into runs of neighbouring slices. The cut never changes, so that the shelf finds them again. */
export function runsOf(slices: readonly (readonly [number, number])[], most = RUN_BYTES): Run[] {
  const runs: Run[] = [];
  let run: { z0: number; lengths: number[]; offset: number; bytes: number } | null = null;
  for (const [z, [offset, length]] of slices.entries()) {
    if (!run || (run.bytes > 0 && run.bytes + length > most) || offset !== run.offset + run.bytes) {
      run = { z0: z, lengths: [], offset, bytes: 0 };
      runs.push(run);
    }
    run.lengths.push(length);
    run.bytes += length;
  }
  return runs;
}

/** How far a run is from a slice; 0 inside it. */
function distance(run: Run, z: number): number {
  return Math.max(run.z0 - z, z - (run.z0 + run.lengths.length - 1), 0);
}

/** Where slices go. */
export interface Receiver {
  /** Memory of the whole scan that decoders write into; null: the values come along. */
  readonly room: Int16Array | null;
  /** These slices are about to be written into `room`. */
  expect(z0: number, count: number): void;
  /** Whole slices are there; `hu`: their values, null where they lie in `room`. */
  arrived(z0: number, count: number, hu: Int16Array | null): void;
  /** Why nothing comes just now, in words; null: it goes on. */
  trouble(why: string | null): void;
  /** A slice is damaged, on the server or on the way, also when asked for again. */
  lost(z: number): void;
}

export class SliceStream {
  /** The axial slice being looked at. */
  #focus: number;
  readonly #waiting: Run[];
  readonly #sums: Uint8Array | null;
  #stopped = false;

  constructor(
    private readonly index: VolumeIndex,
    private readonly decoder: Decoder,
    private readonly to: Receiver,
  ) {
    this.#focus = Math.floor(index.shape_zyx[0] / 2);
    this.#waiting = runsOf(index.pack.slices);
    this.#sums = sumsOf(index);
  }

  /** Another axial slice is looked at: its neighbours come first. */
  lookAt(z: number): void {
    this.#focus = z;
  }

  /** Resolves when every slice has arrived or is lost. */
  async start(): Promise<void> {
    await Promise.all(Array.from({ length: LANES }, () => this.#lane()));
  }

  stop(): void {
    this.#stopped = true;
  }

  #take(): Run | undefined {
    let best = -1,
      least = Infinity;
    for (const [n, run] of this.#waiting.entries()) {
      const away = distance(run, this.#focus);
      if (away < least) [best, least] = [n, away];
    }
    return best < 0 ? undefined : this.#waiting.splice(best, 1)[0];
  }

  async #lane(): Promise<void> {
    let pause = 500;
    for (let run = this.#take(); run && !this.#stopped; run = this.#take()) {
      try {
        await this.#load(run);
        this.to.trouble(null);
        pause = 500;
      } catch (error) {
        if (error instanceof Problem && DAMAGED.has(error.code)) {
          this.#giveUp(run, error.body["parts"]);
          continue;
        }
        this.#waiting.push(run);
        if (error instanceof Problem && error.status < 500 && error.status !== 429) {
          this.to.trouble(error.message);
          return;
        }
        this.to.trouble(t("The connection is gone; loading goes on when it is back."));
        await new Promise((resolve) => setTimeout(resolve, pause));
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      }
    }
  }

  /** One run. What came damaged is asked for once more, past every cache; what is damaged then is lost. */
  async #load(run: Run): Promise<void> {
    let found = await this.#decode(run, await fetchRun(this.index, run));
    if (found.damaged.length) {
      const again = await fetchRun(this.index, run, "auto", true).catch((error: unknown) => {
        if (error instanceof Problem) throw error;
        return null; // no line: what is here stays damaged
      });
      const copy = again?.slice();
      if (again) found = await this.#decode(run, again);
      if (copy && !found.damaged.length) await replaceKept(addressOf(this.index, run), copy);
    }
    if (this.#stopped) return;
    const [, rows, columns] = this.index.shape_zyx;
    const voxels = rows * columns;
    const bad = new Set(found.damaged);
    run.lengths.forEach((_, n) => {
      if (bad.has(n)) this.to.lost(run.z0 + n);
    });
    for (let n = 0; n < run.lengths.length; n++) {
      if (bad.has(n)) continue;
      const first = n;
      while (n + 1 < run.lengths.length && !bad.has(n + 1)) n++;
      const hu = found.hu && bad.size ? found.hu.slice(first * voxels, (n + 1) * voxels) : found.hu;
      this.to.arrived(run.z0 + first, n + 1 - first, hu);
    }
  }

  #decode(run: Run, bytes: Uint8Array): Promise<Decoded> {
    const [, rows, columns] = this.index.shape_zyx;
    const sums = this.#sums?.slice(run.z0 * SUM_BYTES, (run.z0 + run.lengths.length) * SUM_BYTES) ?? null;
    const { room } = this.to;
    if (room) this.to.expect(run.z0, run.lengths.length);
    const into = room && room.subarray(run.z0 * rows * columns, (run.z0 + run.lengths.length) * rows * columns);
    return this.decoder.decode(bytes, run.lengths, rows * columns, offsetOf(this.index), sums, into);
  }

  /**
   * The server refused: `parts` are the damaged slices it named (none: all of the run); the others are asked for by
   * themselves.
   */
  #giveUp(run: Run, parts: unknown): void {
    const named = new Set(Array.isArray(parts) ? (parts as number[]) : []);
    const isBad = (n: number) => !named.size || named.has(run.z0 + n);
    if (!run.lengths.some((_, n) => isBad(n))) {
      for (let n = 0; n < run.lengths.length; n++) this.to.lost(run.z0 + n);
      return;
    }
    for (let n = 0, offset = run.offset; n < run.lengths.length; offset += run.lengths[n++]!) {
      if (isBad(n)) this.to.lost(run.z0 + n);
      else this.#waiting.push({ z0: run.z0 + n, lengths: [run.lengths[n]!], offset, bytes: run.lengths[n]! });
    }
  }
}

/** Codes of the server for what is stored and not what it was (docs/formats.md). */
const DAMAGED: ReadonlySet<string> = new Set(["object_damaged", "object_missing"]);

function addressOf(index: VolumeIndex, run: Run): string {
  return `${index.pack.url}${index.pack.url.includes("?") ? "&" : "?"}run=${run.z0}`;
}

/** Put good bytes instead of a damaged copy that was taken along. */
async function replaceKept(url: string, bytes: Uint8Array): Promise<void> {
  if (!("caches" in globalThis)) return;
  for (const name of await caches.keys()) {
    if (!name.startsWith(CACHE)) continue;
    const store = await caches.open(name);
    if (await store.match(url))
      await store.put(
        url,
        new Response(bytes as Uint8Array<ArrayBuffer>, { headers: { "Content-Type": "application/octet-stream" } }),
      );
  }
}

/**
 * One run of codestreams. Each run has an address of its own (the server does not read `run`): the shelf keeps
 * one entry an address. A server or cache that
 * ignores the range answers with everything: the run is cut out of it. `anew`: past every cache.
 */
export async function fetchRun(
  index: VolumeIndex,
  run: Run,
  priority: RequestPriority = "auto",
  anew = false,
): Promise<Uint8Array> {
  const bytes = await fetchKept(addressOf(index, run), {
    headers: { Range: `bytes=${run.offset}-${run.offset + run.bytes - 1}` },
    priority,
    cache: anew ? "reload" : "default",
  });
  if (bytes.length === run.bytes) return bytes;
  if (bytes.length === index.pack.bytes) return bytes.slice(run.offset, run.offset + run.bytes);
  throw new Error("The volume pack came in another length than was asked for.");
}
