/** Full-resolution slices over a thin line: in runs of neighbours, nearest to the reader's eyes first, a few at a time. */

import { Problem } from "../api";
import { t } from "../language";
import { fetchKept } from "./shelf";
import type { Decoder } from "./decoder";
import { offsetOf, type VolumeIndex } from "./volume";

/** Bytes of one request: half a second on 5 Mbit/s, so that a jump elsewhere is answered soon. */
const RUN_BYTES = 320_000;
const LANES = 3;
const LONGEST_PAUSE_MS = 15_000;

export interface Run { readonly z0: number; readonly lengths: readonly number[]; readonly offset: number; readonly bytes: number }

/** Cut a pack into runs of neighbouring slices. The cut never changes, so that the shelf finds them again. */
export function runsOf(slices: readonly (readonly [number, number])[], most = RUN_BYTES): Run[] {
  const runs: Run[] = [];
  for (let z = 0; z < slices.length;) {
    const [offset] = slices[z];
    const lengths: number[] = [];
    let bytes = 0;
    const z0 = z;
    while (z < slices.length && (bytes === 0 || bytes + slices[z][1] <= most) && slices[z][0] === offset + bytes) {
      lengths.push(slices[z][1]);
      bytes += slices[z][1];
      z++;
    }
    runs.push({ z0, lengths, offset, bytes });
  }
  return runs;
}

/** How far a run is from a slice; 0 inside it. */
function distance(run: Run, z: number): number {
  return Math.max(run.z0 - z, z - (run.z0 + run.lengths.length - 1), 0);
}

export class SliceStream {
  /** The axial slice being looked at; change it any time. */
  focus: number;
  readonly #waiting: Run[];
  #stopped = false;

  constructor(
    private readonly index: VolumeIndex,
    private readonly decoder: Decoder,
    private readonly arrived: (z0: number, hu: Int16Array) => void,
    private readonly trouble: (why: string | null) => void,
  ) {
    this.focus = Math.floor(index.shape_zyx[0] / 2);
    this.#waiting = runsOf(index.pack.slices);
  }

  /** Resolves when every slice has arrived. */
  async start(): Promise<void> {
    await Promise.all(Array.from({ length: LANES }, () => this.#lane()));
  }

  stop(): void { this.#stopped = true; }

  #take(): Run | undefined {
    let best = -1;
    for (let n = 0; n < this.#waiting.length; n++) {
      if (best < 0 || distance(this.#waiting[n], this.focus) < distance(this.#waiting[best], this.focus)) best = n;
    }
    return best < 0 ? undefined : this.#waiting.splice(best, 1)[0];
  }

  async #lane(): Promise<void> {
    let pause = 500;
    for (let run = this.#take(); run && !this.#stopped; run = this.#take()) {
      try {
        const bytes = await fetchRun(this.index, run);
        const [, rows, columns] = this.index.shape_zyx;
        const hu = await this.decoder.decode(bytes, run.lengths, rows * columns, offsetOf(this.index));
        if (this.#stopped) return;
        this.arrived(run.z0, hu);
        this.trouble(null);
        pause = 500;
      } catch (error) {
        this.#waiting.push(run);
        if (error instanceof Problem && error.status < 500 && error.status !== 429) { this.trouble(error.message); return; }
        this.trouble(t("The connection is gone; loading goes on when it is back."));
        await new Promise((resolve) => setTimeout(resolve, pause));
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      }
    }
  }
}

/**
 * One run of codestreams. Each run has an address of its own (the server does not read `run`): the shelf keeps
 * one entry an address. A server or cache that
 * ignores the range answers with everything: the run is cut out of it.
 */
export async function fetchRun(index: VolumeIndex, run: Run, priority: RequestPriority = "auto"): Promise<Uint8Array> {
  const bytes = await fetchKept(`${index.pack.url}${index.pack.url.includes("?") ? "&" : "?"}run=${run.z0}`, {
    headers: { Range: `bytes=${run.offset}-${run.offset + run.bytes - 1}` }, priority,
  });
  if (bytes.length === run.bytes) return bytes;
  if (bytes.length === index.pack.bytes) return bytes.slice(run.offset, run.offset + run.bytes);
  throw new Error("The volume pack came in another length than was asked for.");
}
