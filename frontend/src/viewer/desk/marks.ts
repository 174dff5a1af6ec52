/** What is measured on the panes is kept with the scan, and what was measured before is there again. */

import { effect } from "@preact/signals";
import { uuid } from "../../editor/uuid";
import type { Mark } from "../../ground/contract";
import type { Region } from "../stage/regions";
import type { Measurement } from "../stage/marks";
import type { Stage } from "../stage/stage";
import type { Work } from "../work/work";

/** A drag is one change. */
const KEEP_AFTER_MS = 300;

/** Starts once the voxels have come in full: a region tells figures. Answers how to end it. */
export function keepMarks(stage: Stage, work: Work): () => void {
  const { context, phase } = stage.session;
  let timer = 0,
    isThere = false;
  const begin = async () => {
    await work.marks.restored;
    const own = Object.entries(work.marks.values.value) as [string, Mark][];
    const all = [
      ...own.map(([id, mark]) => ({ id, mark, isForeign: false })),
      ...context.marks.others.map((mark) => ({ id: uuid(), mark, isForeign: true })),
    ];
    isThere = true;
    stage.measure([...stage.measurements.value, ...all.flatMap(lengthOf)]);
    stage.regions.bring(all.flatMap(regionOf));
  };
  const stops = [
    effect(() => {
      if (phase.value === "complete") void begin();
    }),
    effect(() => {
      void [stage.measurements.value, stage.regions.list.value];
      if (!isThere || !context.can.edit) return;
      window.clearTimeout(timer);
      timer = window.setTimeout(() => keep(stage, work), KEEP_AFTER_MS);
    }),
  ];
  return () => {
    window.clearTimeout(timer);
    for (const stop of stops) stop();
  };
}

/** Sends what is new, was changed or has gone. */
function keep(stage: Stage, work: Work): void {
  const now = new Map<string, Mark>([
    ...stage.measurements.value
      .filter(({ isForeign }) => !isForeign)
      .map(({ id, from, to }): [string, Mark] => [
        id,
        { kind: "length", plane: null, index: null, start: from, end: to },
      ]),
    ...stage.regions.list.value
      .filter(({ isForeign }) => !isForeign)
      .map(({ id, kind, plane, index, from, to }): [string, Mark] => [
        id,
        { kind, plane, index, start: from, end: to },
      ]),
  ]);
  const before = work.marks.values.value;
  const changes: Record<string, Mark | null> = {};
  for (const [id, mark] of now) if (JSON.stringify(before[id]) !== JSON.stringify(mark)) changes[id] = mark;
  for (const id of Object.keys(before)) if (!now.has(id)) changes[id] = null;
  if (Object.keys(changes).length) work.marks.set(changes);
}

interface Found {
  readonly id: string;
  readonly mark: Mark;
  readonly isForeign: boolean;
}

function lengthOf({ id, mark: { kind, start, end }, isForeign }: Found): Measurement[] {
  return kind === "length" ? [{ id, from: start, to: end, isForeign }] : [];
}

function regionOf({ id, mark, isForeign }: Found): Omit<Region, "facts">[] {
  const { kind, plane, index, start, end } = mark;
  if (kind === "length" || plane === null || index === null) return [];
  return [{ id, kind, plane, index, from: start, to: end, isForeign }];
}
