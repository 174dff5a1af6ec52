/** One gesture: the dabs of a tool from press to release, painted as they come, one entry of the history in the end. */

import type { BitVolume } from "./bitvolume";
import { ballRuns, between, growStroke, writableByErasing, writableByGrowing, writableByPaint } from "./brushes";
import { reachOf, unite } from "./geometry";
import { type GrowInput, NORMAL_LUNG_HU } from "./growing";
import type { Labelmap } from "./labelmap";
import { Composer, NO_RUNS, type Runs, invert, tally, voxelsIn } from "./runs";
import {
  type Box,
  type DabResult,
  ERASED,
  type GrowResult,
  type Ijk,
  type Stroke,
  type Threshold,
  type Tool,
  type VolumeMeta,
  type Zyx,
  perAxis,
} from "./types";
import { uuid } from "./uuid";
import type { Volume } from "./volume";

/** A drag with the growing brush grows again after this part of its radius. */
const GROW_EVERY = 0.25;

/** What the tools work on. */
export interface Ground {
  readonly meta: VolumeMeta;
  readonly volume: Volume;
  readonly labels: Labelmap;
  readonly limit: BitVolume | null;
}

export type GrowTool = Extract<Tool, { tool: "grow" }>;

/** One dab of the growing brush that was not refused, with its bounds in true HU. */
export interface GrownDab {
  readonly tool: GrowTool;
  readonly seed: Zyx;
  readonly lowerHu: number;
  readonly seedHu: number;
}

/** What one dab of a tool would change, and what of it the ceiling refused. */
interface DabEffect {
  readonly runs: Runs;
  readonly refused: Runs;
  readonly grow: GrowResult | null;
}

const NOT_LOADED: DabEffect = {
  runs: NO_RUNS,
  refused: NO_RUNS,
  grow: { added: 0, refusal: "not_loaded", refused: 0, seedHu: null, lowerHu: null, milliseconds: 0 },
};

/** What growing works on. */
export function inputOf({ meta, volume, labels, limit }: Ground): GrowInput {
  return {
    shape: meta.shapeZyx,
    spacing: meta.spacingMmZyx,
    hu: volume.hu,
    labels: labels.data,
    limit,
    backgroundHu: meta.backgroundHu ?? NORMAL_LUNG_HU,
  };
}

/** What one dab of a tool would change. Changes nothing. */
export function effectOf(tool: Tool, at: Zyx, ground: Ground): DabEffect {
  if (tool.tool !== "grow") return ballOf(tool, at, ground);
  const started = performance.now();
  const { shapeZyx: shape, spacingMmZyx: spacing } = ground.meta;
  const reach = Math.floor(tool.radiusMm / spacing[0]) + 3;
  if (!ground.volume.hasSlices(at[0] - reach, at[0] + reach)) return NOT_LOADED;
  const input = inputOf(ground);
  const writable = writableByGrowing(tool.segment, tool.overwrite, tool.locked);
  const {
    runs,
    refused,
    grown: { refusal, seedHu, lowerHu },
  } = growStroke(input, tool.segment, at, tool.radiusMm, tool.params ?? {}, writable);
  const { offset = 0 } = ground.meta;
  const { added } = tally(runs);
  const wasErased =
    !added &&
    refusal !== "over_ceiling" &&
    ground.labels.data[(at[0] * shape[1] + at[1]) * shape[2] + at[2]] === ERASED;
  const facts = {
    added,
    refusal: wasErased ? ("erased" as const) : refusal,
    refused: voxelsIn(refused),
    seedHu: seedHu + offset,
    lowerHu: lowerHu === null ? null : lowerHu + offset,
  };
  return { runs, refused, grow: { ...facts, milliseconds: performance.now() - started } };
}

function ballOf(tool: Exclude<Tool, { tool: "grow" }>, at: Zyx, { meta, labels, volume }: Ground): DabEffect {
  const input = { shape: meta.shapeZyx, spacing: meta.spacingMmZyx, labels: labels.data, hu: volume.hu };
  const plain = (runs: Runs): DabEffect => ({ runs, refused: NO_RUNS, grow: null });
  const plane = tool.tool === "circle" || ("planar" in tool && tool.planar) ? (tool.plane ?? "axial") : null;
  switch (tool.tool) {
    case "erase":
      return plain(
        ballRuns(input, at, tool.radiusMm, plane, writableByErasing(tool.segments, tool.locked), ERASED, null),
      );
    case "threshold": {
      const reach = plane === "axial" ? 0 : reachOf(tool.radiusMm, meta.spacingMmZyx[0]);
      if (!volume.hasSlices(at[0] - reach, at[0] + reach)) return NOT_LOADED;
      const writable = writableByGrowing(tool.segment, tool.overwrite, tool.locked);
      return plain(ballRuns(input, at, tool.radiusMm, plane, writable, tool.segment, inKept(tool.threshold, meta)));
    }
    default:
      return plain(
        ballRuns(
          input,
          at,
          tool.radiusMm,
          plane,
          writableByPaint(tool.segment, tool.overwrite, tool.locked),
          tool.segment,
          null,
        ),
      );
  }
}

/** A window of values as they are kept. */
function inKept(threshold: Threshold, { offset = 0 }: VolumeMeta): Threshold {
  return { lo: threshold.lo - offset, hi: threshold.hi - offset };
}

export class Drawing {
  /** Chunks that the gesture touched. */
  readonly chunks = new Set<number>();
  readonly #composer = new Composer();
  readonly #id = uuid();
  #first: Ijk | null = null;
  #last: Zyx | null = null;
  #reach = 1;
  #pressed = false;
  readonly #grown: GrownDab[] = [];

  constructor(
    private readonly tool: Tool,
    private readonly ground: Ground,
  ) {}

  /** Paints at a voxel, and along the way from the last dab, with this part of the radius (the pressure of a pen). */
  dab(at: Zyx, reach = 1): DabResult & { readonly box: Box | null } {
    const { tool, ground } = this;
    const { spacingMmZyx: spacing } = ground.meta;
    const last = this.#last,
      lastReach = this.#reach;
    let centres = last ? between(last, at, spacing, tool.radiusMm * Math.min(reach, lastReach)) : [at];
    if (tool.tool === "grow") {
      const moved = last ? Math.hypot(...perAxis((axis) => (at[axis] - last[axis]) * spacing[axis])) : Infinity;
      centres = moved >= GROW_EVERY * tool.radiusMm ? [at] : [];
    }
    let added = 0,
      removed = 0,
      box: Box | null = null,
      grown: GrowResult | null = null;
    centres.forEach((centre, n) => {
      const part = last ? lastReach + (reach - lastReach) * ((n + 1) / centres.length) : reach;
      const dab = part === 1 ? tool : { ...tool, radiusMm: tool.radiusMm * part };
      const effect = effectOf(dab, centre, ground);
      box = unite(box, ground.labels.apply(effect.runs, this.chunks));
      this.#composer.add(effect.runs);
      const counts = tally(effect.runs);
      added += counts.added;
      removed += counts.removed;
      grown = effect.grow;
      this.#last = centre;
      const { refusal = "erased", lowerHu = null, seedHu = null } = effect.grow ?? {};
      if (dab.tool === "grow" && refusal === null && lowerHu !== null && seedHu !== null)
        this.#grown.push({ tool: dab, seed: centre, lowerHu, seedHu });
    });
    this.#reach = reach;
    this.#pressed ||= reach !== 1;
    this.#first ??= [at[2], at[1], at[0]];
    return { added, removed, grow: grown, box };
  }

  /** The dabs of the growing brush, in order, without those that were refused; none where the tool is another. */
  get grown(): readonly GrownDab[] {
    return this.#grown;
  }

  /** Takes everything back. */
  cancel(): Box | null {
    return this.ground.labels.apply(invert(this.#composer.total()), new Set());
  }

  /** The whole gesture, for the history. */
  finish(): { runs: Runs; stroke: Stroke } {
    const { tool } = this;
    const runs = this.#composer.total();
    const segment = tool.tool === "erase" ? (tool.segments?.[0] ?? 0) : tool.segment;
    const stroke: Stroke = {
      id: this.#id,
      tool: tool.tool,
      segment,
      ijk: this.#first ?? [0, 0, 0],
      radius_mm: tool.radiusMm,
      params: { ...paramsOf(tool), ...(this.#pressed ? { pressure: true } : {}) },
      ...tally(runs),
      at: new Date().toISOString(),
    };
    return { runs, stroke };
  }
}

/** The `params` of a stroke, in the names of `voxloop.volume`. */
function paramsOf(tool: Tool): Record<string, unknown> {
  if (tool.tool === "grow") {
    const names = {
      tolerance: "tolerance",
      upperHu: "upper_hu",
      planar: "planar",
      useLimit: "use_limit",
      openMm: "open_mm",
      closeMm: "close_mm",
      fill: "fill",
      seedMm: "seed_mm",
      minContrast: "min_contrast",
      smoothZMax: "smooth_z_max",
      ceiling: "ceiling",
    } as const;
    return Object.fromEntries(
      Object.entries(tool.params ?? {}).map(([name, value]) => [names[name as keyof typeof names], value]),
    );
  }
  if (tool.tool === "erase") return { planar: tool.planar, segments: tool.segments };
  if (tool.tool === "threshold")
    return { threshold: tool.threshold, planar: tool.planar, ...(tool.planar ? { plane: tool.plane ?? "axial" } : {}) };
  return tool.tool === "circle" ? { plane: tool.plane ?? "axial" } : {};
}
