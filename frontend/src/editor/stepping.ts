/**
 * The last stroke, taken back and done again with the lower bounds of all its dabs a step further down or up. Every
 * step is an entry of the history of its own, so undo goes back step by step; the steps lie where the region really
 * changes.
 */

import { type Ground, type GrownDab, effectOf, inputOf } from "./drawing";
import { type Dab, type Ladder, boundAt, ladderOf } from "./ladder";
import { Composer, type Runs, compose, invert, tally } from "./runs";
import { GROW_DEFAULTS, type StepResult, type Stroke } from "./types";
import { uuid } from "./uuid";

/** Steps that change nothing of what is painted (a thin bridge is cut again) are gone over, so many at most. */
const MOST_TRIED = 12;

/** Where the mask stands after the stroke, or after a step of it; `runs` lead there from before the stroke. */
interface Rung {
  readonly shift: number;
  readonly runs: Runs;
}

/** What a step changes, from the mask as it is now. */
export interface Stepped {
  readonly runs: Runs;
  readonly stroke: Stroke;
  readonly result: Extract<StepResult, { kind: "stepped" }>;
}

export class Stepping {
  /** By the stroke that led there. */
  readonly #rungs = new Map<string, Rung>();
  #ladder: Ladder | null = null;

  /** `dabs`, at least one, `first` and `runs`: what the stroke did. */
  constructor(
    private readonly dabs: readonly GrownDab[],
    private readonly first: Stroke,
    runs: Runs,
  ) {
    this.#rungs.set(first.id, { shift: 0, runs });
  }

  /** `last`: the stroke that an undo would take back now. Changes nothing in the end. */
  step(by: 1 | -1, last: Stroke | null, ground: Ground): Stepped | Extract<StepResult, { kind: "stays" }> {
    const started = performance.now();
    const from = last && this.#rungs.get(last.id);
    if (!from) return { kind: "stays", why: "no-stroke" };
    const { labels } = ground;
    const chunks = new Set<number>();
    // As it was before the stroke: what it took must not count as the segment's already.
    labels.apply(invert(from.runs), chunks);
    try {
      this.#ladder ??= this.#climb(ground);
      let shift: number | null = from.shift;
      let isLeap = false;
      for (let tried = 0; tried < MOST_TRIED; tried++) {
        shift = this.#ladder.next(shift, by);
        if (shift === null) break;
        // A leak that the opening cut off at first is one when it comes through, too.
        isLeap ||= by === 1 && this.#ladder.isLeap(shift);
        const runs = this.#grow(shift, ground);
        if (!runs) return { kind: "stays", why: "over_ceiling" };
        const net = compose(invert(from.runs), runs);
        if (net.count === 0 || runs.count === 0) continue;
        return this.#stepped({ shift, runs }, net, isLeap, started);
      }
      return { kind: "stays", why: by === 1 ? "no-more" : "no-less" };
    } finally {
      labels.apply(from.runs, chunks);
    }
  }

  #climb(ground: Ground): Ladder {
    const { offset = 0 } = ground.meta;
    const dabs = this.dabs.map(
      ({ tool, seed, seedHu, lowerHu }): Dab => ({
        seed,
        seedHu: seedHu - offset,
        radiusMm: tool.radiusMm,
        bound: Math.ceil(lowerHu - offset),
      }),
    );
    return ladderOf(inputOf(ground), dabs, { ...GROW_DEFAULTS, ...this.dabs[0]?.tool.params });
  }

  /**
   * The dabs one after the other, as they were drawn, with shifted bounds; null where one is over the ceiling. The
   * labels are as before.
   */
  #grow(shift: number, ground: Ground): Runs | null {
    const sum = new Composer();
    const chunks = new Set<number>();
    try {
      for (const { tool, seed, lowerHu } of this.dabs) {
        const { offset = 0 } = ground.meta;
        const bound = boundAt(Math.ceil(lowerHu - offset), shift, inputOf(ground).backgroundHu);
        const again = { ...tool, params: { ...tool.params, lowerHu: bound } };
        const { runs, grow } = effectOf(again, seed, ground);
        if (grow?.refusal === "over_ceiling") return null;
        ground.labels.apply(runs, chunks);
        sum.add(runs);
      }
      return sum.total();
    } finally {
      ground.labels.apply(invert(sum.total()), chunks);
    }
  }

  #stepped(to: Rung, net: Runs, isLeap: boolean, started: number): Stepped {
    const counts = tally(net);
    const dabs = this.dabs.length;
    const lowerHu = Math.ceil(this.dabs[0]!.lowerHu) + to.shift;
    const bound = dabs === 1 ? { lower_hu: lowerHu } : { shift_hu: to.shift, dabs };
    const stroke: Stroke = {
      ...this.first,
      id: uuid(),
      tool: "step",
      params: { ...this.first.params, of: this.first.id, ...bound },
      ...counts,
      at: new Date().toISOString(),
    };
    this.#rungs.set(stroke.id, to);
    const milliseconds = performance.now() - started;
    const facts = { lowerHu, shiftHu: to.shift, dabs, isLeap, milliseconds };
    return { runs: net, stroke, result: { kind: "stepped", ...counts, ...facts } };
  }
}
