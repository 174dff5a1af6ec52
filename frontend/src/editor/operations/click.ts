/** Click-to-segment as an operation: what the proposal would change, and what it rests on. */

import type { Effect } from "./effect";
import { pushRow, writableByGrowing } from "../brushes";
import type { ClickInput } from "../clickradius";
import type { Proposal, Proposals } from "../clicking";
import type { Labelmap } from "../labelmap";
import type { SparseMask } from "../sparsemask";
import { RunBuilder } from "../runs";
import { ERASED, type Ijk, type Operation, type Proposed } from "../types";

type Click = Extract<Operation, { op: "click" }>;
export type ClickFacts = Pick<Proposed, "source" | "radiusMm" | "refusal">;

/** How far a point's region reaches across slices, in mm: what must be there in full. */
const REACH_MM = 37;

export interface ClickGround {
  readonly labels: Labelmap;
  readonly input: ClickInput;
  readonly proposals: Proposals;
  readonly hasSlices: (first: number, last: number) => boolean;
  overlay(key: string): SparseMask;
}

export function clickEffect(operation: Click, ground: ClickGround): Effect & { readonly facts: ClickFacts } {
  const { segment, prompts, box, overlay, useLimit } = operation;
  const input = useLimit ? ground.input : { ...ground.input, limit: null };
  const found: ClickFacts & Pick<Proposal, "voxels"> = overlay
    ? { voxels: voxelsOf(ground.overlay(overlay)), source: "server", radiusMm: null, refusal: null }
    : isLoaded(operation, ground)
      ? ground.proposals.propose(input, segment, prompts, box, operation.tolerance)
      : { voxels: new Uint32Array(0), source: "image", radiusMm: null, refusal: "not_loaded" };
  const writable = writableByGrowing(segment, operation.overwrite, operation.locked);
  const runs = new RunBuilder();
  for (const at of found.voxels) pushRow(runs, ground.labels.data, at, at + 1, writable, segment);
  const first: Ijk | undefined =
    prompts.find(({ belongs }) => belongs)?.ijk ?? (box ? [box.x0, box.y0, box.z0] : undefined);
  return {
    runs: runs.build(),
    segment,
    ijk: first ?? [0, 0, 0],
    params: {
      prompts: prompts.map(({ ijk, belongs }) => [...ijk, belongs ? 1 : 0]),
      box: box && [box.x0, box.y0, box.z0, box.x1, box.y1, box.z1],
      tolerance: operation.tolerance,
      use_limit: useLimit,
      source: found.source,
    },
    facts: { source: found.source, radiusMm: found.radiusMm, refusal: found.refusal },
  };
}

function isLoaded({ prompts, box }: Click, { input, hasSlices }: ClickGround): boolean {
  const reach = Math.ceil(REACH_MM / input.spacing[0]);
  return (
    prompts.every(({ ijk, belongs }) => !belongs || hasSlices(ijk[2] - reach, ijk[2] + reach)) &&
    (!box || hasSlices(box.z0 - reach, box.z1 + reach))
  );
}

/** Voxel numbers of every segment of an overlay, ascending. */
function voxelsOf(overlay: SparseMask): Uint32Array {
  const found: number[] = [];
  overlay.forEachStretch((start, length, label) => {
    if (label !== ERASED) for (let at = start; at < start + length; at++) found.push(at);
  });
  return Uint32Array.from(found).sort();
}
