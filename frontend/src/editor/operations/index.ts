/** Operations on the whole mask: what each one changes, as runs for the one write path. */

import { amountOf, isFlat } from "../../ground/amount";
import { MARGIN } from "../bits";
import { pushRow, writableByErasing, writableByGrowing, writableByPaint, type Writable } from "../brushes";
import { type BoxBits, componentAt, componentsOf, fillHoles, runsOfParts } from "../components";
import { revertRuns } from "../differences";
import type { Labelmap } from "../labelmap";
import type { SparseMask } from "../sparsemask";
import { Composer, NO_RUNS, RunBuilder, type Runs } from "../runs";
import { ERASED, type Ijk, type Operation, type Zyx } from "../types";
import { combined } from "./boolean";
import type { Effect } from "./effect";
import { voxelsBetween } from "./interpolate";
import { resized, smoothed } from "./morphology";
import { voxelsOfPolygon } from "./polygon";
import { accepted, dropped } from "./proposed";

export interface Material {
  readonly labels: Labelmap;
  readonly spacing: Zyx;
  overlay(key: string): SparseMask;
}

const NOWHERE: Ijk = [0, 0, 0];
const NOTHING: Writable = new Uint8Array(256);

/** Operations that need more ground than the labels have operators of their own (`click.ts`, `proposed.ts`). */
type Elsewhere = "click" | "regrow";
export type PlainOperation = Exclude<Operation, { op: Elsewhere }>;
type OpName = PlainOperation["op"];

/** The operation of this name, also where several names share a form. */
type Of<K extends OpName> = Operation extends infer O
  ? O extends { readonly op: infer P }
    ? K extends P
      ? O
      : never
    : never
  : never;

const OPERATORS: { readonly [K in OpName]: (operation: Of<K>, material: Material) => Effect } = {
  accept: (operation, material) => accepted(operation, material.overlay(operation.overlay)),
  drop: (operation, material) => dropped(operation, material.labels, material.overlay(operation.overlay)),
  copy,
  "fill-holes": filledHoles,
  lasso: insideOf,
  scissors: cutAway,
  interpolate: betweenSlices,
  resize: reshaped,
  smooth: reshaped,
  union: withRegion,
  intersect: withRegion,
  subtract: withRegion,
  revert: takenBack,
  "remove-islands": withoutIslands,
  "remove-lesion": withoutLesion,
  convert: converted,
  restore: asItWas,
  clear: cleared,
};

/** What an operation changes. */
export function operate(operation: PlainOperation, material: Material): Effect {
  const operator = OPERATORS[operation.op] as (operation: Operation, material: Material) => Effect;
  return operator(operation, material);
}

function effect(runs: Runs, segment: number, params: Record<string, unknown> = {}, ijk: Ijk = NOWHERE): Effect {
  return { runs, segment, params, ijk };
}

function filledHoles(operation: Of<"fill-holes">, { labels }: Material): Effect {
  const writable = writableByPaint(operation.segment, operation.overwrite, operation.locked);
  return effect(fillHoles(labels, operation.segment, operation.perSlice, writable), operation.segment, {
    per_slice: operation.perSlice,
  });
}

function insideOf(operation: Of<"lasso">, { labels }: Material): Effect {
  const { segment, plane, slices, points } = operation;
  const voxels = voxelsOfPolygon(labels.shape, plane, slices, points, false);
  return effect(
    set(labels, voxels, writableByPaint(segment, operation.overwrite, operation.locked), segment),
    segment,
    { plane, slices, corners: points.length },
  );
}

function cutAway(operation: Of<"scissors">, { labels }: Material): Effect {
  const { plane, slices, points, outside } = operation;
  const writable = writableByErasing(operation.segments, operation.locked);
  // Unlike the eraser, scissors leave the background alone: outside of a line it is the rest of the scan.
  writable[0] = 0;
  const voxels = voxelsOfPolygon(labels.shape, plane, slices, points, outside);
  return effect(set(labels, voxels, writable, ERASED), operation.segments?.[0] ?? 0, {
    plane,
    slices,
    outside,
    corners: points.length,
  });
}

function betweenSlices(operation: Of<"interpolate">, { labels, spacing }: Material): Effect {
  const { segment, plane } = operation;
  const writable = writableByGrowing(segment, operation.overwrite, operation.locked);
  return effect(set(labels, voxelsBetween(labels, spacing, plane, segment), writable, segment), segment, { plane });
}

function reshaped(operation: Of<"resize" | "smooth">, { labels, spacing }: Material): Effect {
  const { segment, mm, op } = operation;
  const writable = writableByGrowing(segment, operation.overwrite, operation.locked);
  const wanted = op === "smooth" ? smoothed(labels, spacing, segment, mm) : resized(labels, spacing, segment, mm);
  return effect(become(labels, wanted, writable, segment, operation.locked), segment, { mm });
}

function withRegion(operation: Of<"union" | "intersect" | "subtract">, material: Material): Effect {
  const { labels, spacing } = material;
  const { segment, overlay: key, with: other, marginMm = 0 } = operation;
  const runs = combined(operation, labels, key === null ? labels : material.overlay(key), spacing);
  return effect(runs, segment, { overlay: key, with: other, margin_mm: marginMm });
}

function takenBack(operation: Of<"revert">, material: Material): Effect {
  const { labels } = material;
  const { runs, segment } = revertRuns(labels, material.overlay(operation.overlay), operation.at, operation.locked);
  return effect(runs, segment, { overlay: operation.overlay }, operation.at);
}

function withoutIslands(operation: Of<"remove-islands">, { labels, spacing }: Material): Effect {
  const voxelMl = amountOf(1, labels.shape, spacing);
  const parts = componentsOf(labels, (label) => label === operation.segment).filter(
    (part) => part.voxels * voxelMl < operation.underMl,
  );
  return effect(runsOfParts(labels, parts, only(operation.segment, operation.locked), 0), operation.segment, {
    [isFlat(labels.shape) ? "under_cm2" : "under_ml"]: operation.underMl,
  });
}

function withoutLesion(operation: Of<"remove-lesion">, { labels }: Material): Effect {
  const part = componentAt(labels, operation.at);
  return effect(
    runsOfParts(labels, part ? [part] : [], only(part?.label ?? 0, operation.locked), ERASED),
    part?.label ?? 0,
    {},
    operation.at,
  );
}

function converted(operation: Of<"convert">, { labels }: Material): Effect {
  const part = operation.at && componentAt(labels, operation.at);
  const from = operation.from ?? part?.label ?? 0;
  const parts = operation.at ? (part?.label === from ? [part] : []) : componentsOf(labels, (label) => label === from);
  const writable = operation.locked?.includes(operation.to) ? NOTHING : only(from, operation.locked);
  return effect(runsOfParts(labels, parts, writable, operation.to), operation.to, { from }, operation.at ?? NOWHERE);
}

function asItWas(operation: Of<"restore">, material: Material): Effect {
  const { labels } = material;
  return effect(replaced(labels, material.overlay(operation.overlay)), 0, { revision: operation.revision });
}

function cleared(operation: Of<"clear">, { labels }: Material): Effect {
  const parts = componentsOf(labels, (label) => label === operation.segment);
  return effect(runsOfParts(labels, parts, only(operation.segment, operation.locked), 0), operation.segment);
}

function copy(operation: Extract<Operation, { op: "copy" }>, material: Material): Effect {
  const overlay = material.overlay(operation.overlay);
  const part = operation.at && componentAt(overlay, operation.at);
  const parts = operation.at ? (part ? [part] : []) : componentsOf(overlay);
  const composer = new Composer();
  for (const segment of new Set(parts.map((one) => operation.into ?? one.label))) {
    const own = parts.filter((one) => (operation.into ?? one.label) === segment);
    composer.add(
      runsOfParts(material.labels, own, writableByPaint(segment, operation.overwrite, operation.locked), segment),
    );
  }
  const params = { overlay: operation.overlay, whole: !operation.at };
  return { runs: composer.total(), segment: operation.into ?? part?.label ?? 0, ijk: operation.at ?? NOWHERE, params };
}

/** Only this label may change, and not even that when it is locked. */
function only(wanted: number, locked: readonly number[] = []): Writable {
  const table = new Uint8Array(256);
  if (!locked.includes(wanted)) table[wanted] = 1;
  return table;
}

/** Runs that set these voxels (ascending) to `value` wherever `writable` allows. */
function set(labels: Labelmap, voxels: Uint32Array, writable: Writable, value: number): Runs {
  const out = new RunBuilder();
  for (const at of voxels) pushRow(out, labels.data, at, at + 1, writable, value);
  return out.build();
}

/** Runs that make `wanted` all of the segment: what is missing is painted, what is over becomes background. */
function become(
  labels: Labelmap,
  wanted: BoxBits | null,
  writable: Writable,
  segment: number,
  locked: readonly number[],
): Runs {
  if (!wanted || locked.includes(segment)) return NO_RUNS;
  const { frame, bits, box } = wanted;
  const out = new RunBuilder();
  for (let z = 0; z < frame.nz; z++) {
    for (let y = 0; y < frame.ny; y++) {
      const row = frame.rowOf(z, y),
        start = labels.indexOf(box.z0 + z, box.y0 + y, box.x0);
      for (let x = 0; x < frame.nx; x++) {
        const label = labels.data[start + x]!;
        if ((bits[row + ((x + MARGIN) >>> 5)]! >>> ((x + MARGIN) & 31)) & 1) {
          if (writable[label]) out.push(start + x, 1, label, segment);
        } else if (label === segment) out.push(start + x, 1, segment, 0);
      }
    }
  }
  return out.build();
}

/** Runs from the labels as they are to those of an overlay. */
function replaced(labels: Labelmap, overlay: SparseMask): Runs {
  const differing: number[] = [];
  const [, ny, nx] = labels.shape;
  const there = (at: number): number => {
    const row = Math.floor(at / nx);
    return overlay.at(Math.floor(row / ny), row % ny, at - row * nx);
  };
  labels.forEachStretch((start, length, label) => {
    for (let at = start; at < start + length; at++) if (there(at) !== label) differing.push(at);
  });
  overlay.forEachStretch((start, length) => {
    for (let at = start; at < start + length; at++) if (labels.data[at] === 0) differing.push(at);
  });
  const out = new RunBuilder();
  for (const at of Uint32Array.from(differing).sort()) out.push(at, 1, labels.data[at]!, there(at));
  return out.build();
}
