/**
 * The last stroke, taken back and done again with a lower bound a step further down or up. Every step is an entry of
 * the history of its own, so undo goes back step by step; the steps lie where the region really changes.
 */

import { type Ground, type Press, effectOf, inputOf } from "./drawing";
import { type Ladder, ladderOf } from "./ladder";
import { type Runs, compose, invert, tally } from "./runs";
import { GROW_DEFAULTS, type StepResult, type Stroke } from "./types";
import { uuid } from "./uuid";

/** Steps that change nothing of what is painted (a thin bridge is cut again) are gone over, so many at most. */
const MOST_TRIED = 12;

/** Where the mask stands after the stroke, or after a step of it; `runs` lead there from before the stroke. */
interface Rung {
  readonly lowerHu: number;
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

  /** `runs` and `first`: what the press did. */
  constructor(
    private readonly press: Press,
    private readonly first: Stroke,
    runs: Runs,
  ) {
    this.#rungs.set(first.id, { lowerHu: press.lowerHu, runs });
  }

  /** `last`: the stroke that an undo would take back now. Changes nothing in the end. */
  step(by: 1 | -1, last: Stroke | null, ground: Ground): Stepped | Extract<StepResult, { kind: "stays" }> {
    const started = performance.now();
    const from = last && this.#rungs.get(last.id);
    if (!from) return { kind: "stays", why: "no-stroke" };
    const { labels } = ground;
    const chunks = new Set<number>();
    const offset = ground.meta.offset ?? 0;
    // As it was before the stroke: what it took must not count as the segment's already.
    labels.apply(invert(from.runs), chunks);
    try {
      const { tool, seed, seedHu } = this.press;
      const params = { ...GROW_DEFAULTS, ...tool.params };
      this.#ladder ??= ladderOf(inputOf(ground), seed, seedHu - offset, tool.radiusMm, params);
      let lower: number | null = from.lowerHu - offset;
      for (let tried = 0; tried < MOST_TRIED; tried++) {
        lower = this.#ladder.next(lower, by);
        if (lower === null) break;
        const again = { ...tool, params: { ...tool.params, lowerHu: lower } };
        const { runs, grow } = effectOf(again, seed, ground);
        if (grow?.refusal === "over_ceiling") return { kind: "stays", why: "over_ceiling" };
        const net = compose(invert(from.runs), runs);
        if (net.count === 0 || runs.count === 0) continue;
        return this.#stepped({ lowerHu: lower + offset, runs }, net, by === 1 && this.#ladder.isLeap(lower), started);
      }
      return { kind: "stays", why: by === 1 ? "no-more" : "no-less" };
    } finally {
      labels.apply(from.runs, chunks);
    }
  }

  #stepped(to: Rung, net: Runs, isLeap: boolean, started: number): Stepped {
    const counts = tally(net);
    const stroke: Stroke = {
      ...this.first,
      id: uuid(),
      tool: "step",
      params: { ...this.first.params, of: this.first.id, lower_hu: to.lowerHu },
      ...counts,
      at: new Date().toISOString(),
    };
    this.#rungs.set(stroke.id, to);
    const milliseconds = performance.now() - started;
    return { runs: net, stroke, result: { kind: "stepped", ...counts, lowerHu: to.lowerHu, isLeap, milliseconds } };
  }
}
