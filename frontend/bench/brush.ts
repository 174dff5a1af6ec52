/**
 * Times the brush on cases that benchmarks/brush.py lays out: `node brush.js FOLDER`. A case is `NAME.json` beside the
 * raw `NAME.hu` (int16) and `NAME.limit` (a byte a voxel). Answers JSON: milliseconds of
 * processor time (mean), milliseconds of the first call, and voxels.
 */

import type { BitVolume } from "../src/editor/bitvolume";
import { BitFrame, MARGIN, floodFrom } from "../src/editor/bits";
import { grownRuns, writableByGrowing } from "../src/editor/brushes";
import { Drawing } from "../src/editor/drawing";
import { grow } from "../src/editor/growing";
import { Labelmap } from "../src/editor/labelmap";
import { invert, voxelsIn } from "../src/editor/runs";
import { Stepping } from "../src/editor/stepping";
import type { Zyx } from "../src/editor/types";
import { Volume } from "../src/editor/volume";
import { casesOf } from "./cases";

interface Case {
  kind: "flood" | "stroke";
  shape_zyx: Zyx;
  spacing_mm_zyx: Zyx;
  seed_zyx: Zyx;
  radius_mm: number;
  background_hu: number;
  /** flood: the box (z0, z1, y0, y1, x0, x1) and the HU bounds, both included. */
  box: [number, number, number, number, number, number];
  lower: number;
  upper: number;
}

/** The compiler works beside the program; on a busy machine it needs a moment until the loops run at speed. */
const WARM_UP_MS = 1500;
const ROUNDS = 100;
const DRAG_MM = 20;

function timed(work: () => number): { milliseconds: number; first: number; voxels: number } {
  const begin = performance.now();
  let voxels = work();
  const first = performance.now() - begin;
  while (performance.now() - begin < WARM_UP_MS) work();
  const start = process.cpuUsage();
  for (let n = 0; n < ROUNDS; n++) voxels = work();
  const { user, system } = process.cpuUsage(start);
  return { milliseconds: (user + system) / 1000 / ROUNDS, first, voxels };
}

/** Threshold a box and keep the 6-connected component of the seed. */
function flood(hu: Int16Array, c: Case): number {
  const [z0, z1, y0, y1, x0, x1] = c.box;
  const frame = new BitFrame(z1 - z0, y1 - y0, x1 - x0);
  const open = frame.create();
  for (let z = z0; z < z1; z++) {
    for (let y = y0; y < y1; y++) {
      const row = frame.rowOf(z - z0, y - y0),
        from = (z * c.shape_zyx[1] + y) * c.shape_zyx[2] - x0;
      let word = 0,
        at = 0;
      for (let x = x0, bit = MARGIN; x < x1; x++, bit++) {
        if (bit >>> 5 !== at) {
          open[row + at] = word;
          word = 0;
          at = bit >>> 5;
        }
        const v = hu[from + x0 + x]!;
        if (v >= c.lower && v <= c.upper) word |= 1 << (bit & 31);
      }
      open[row + at] = word;
    }
  }
  const found = floodFrom(frame, open, c.seed_zyx[0] - z0, c.seed_zyx[1] - y0, c.seed_zyx[2] - x0);
  return frame.count(found, frame.whole());
}

const results: Record<string, unknown> = {};
for (const { name, case: c, hu, limit } of casesOf<Case>()) {
  if (c.kind === "flood") {
    results[name] = timed(() => flood(hu, c));
    continue;
  }
  const labels = new Labelmap(c.shape_zyx);
  const input = {
    shape: c.shape_zyx,
    spacing: c.spacing_mm_zyx,
    hu,
    labels: labels.data,
    limit: limit(),
    backgroundHu: c.background_hu,
  };
  const writable = writableByGrowing(1, false, []);
  const stroke = () => grownRuns(input, grow(input, 1, c.seed_zyx, c.radius_mm), writable, 1);
  const runs = stroke();
  const apply = timed(() => {
    labels.apply(runs, new Set());
    labels.apply(invert(runs), new Set());
    return runs.count;
  });
  results[name] = {
    ...timed(() => voxelsIn(stroke())),
    apply: apply.milliseconds / 2,
    ...steps(c, hu, input.limit, [c.seed_zyx]),
    drag: steps(c, hu, input.limit, dragged(c, DRAG_MM)),
  };
}

interface StepTimes {
  readonly step: number;
  readonly next: number;
  readonly cold: number;
}

/** A step of a stroke of dabs at `seeds`: the first one, which finds where the region changes, and those after it. */
function steps(c: Case, hu: Int16Array, limit: BitVolume | null, seeds: readonly Zyx[]): StepTimes {
  const volume = new Volume(c.shape_zyx, hu);
  volume.slicesArrived(0, c.shape_zyx[0]);
  const meta = { shapeZyx: c.shape_zyx, spacingMmZyx: c.spacing_mm_zyx, backgroundHu: c.background_hu };
  const ground = { meta, volume, labels: new Labelmap(c.shape_zyx), limit };
  const tool = { tool: "grow", segment: 1, radiusMm: c.radius_mm, overwrite: false, locked: [] } as const;
  const drawing = new Drawing(tool, ground);
  for (const seed of seeds) drawing.dab(seed);
  const { runs, stroke } = drawing.finish();
  const { grown } = drawing;
  if (grown.length !== seeds.length) throw new Error(`${grown.length} of ${seeds.length} dabs took something`);
  const step = (stepping: Stepping) => {
    const found = stepping.step(1, stroke, ground);
    if ("kind" in found) throw new Error(found.why);
    return voxelsIn(found.runs);
  };
  const first = timed(() => step(new Stepping(grown, stroke, runs)));
  const stepping = new Stepping(grown, stroke, runs);
  const next = timed(() => step(stepping));
  return { step: first.milliseconds, next: next.milliseconds, cold: first.first };
}

/** The dabs of a drag of this length across the seed, one every quarter of the radius, as the brush makes them. */
function dragged({ seed_zyx: [z, y, x], radius_mm, spacing_mm_zyx }: Case, lengthMm: number): Zyx[] {
  const apart = Math.ceil(radius_mm / 4 / spacing_mm_zyx[2]);
  const count = Math.floor(lengthMm / spacing_mm_zyx[2] / apart) + 1;
  return Array.from({ length: count }, (_, n): Zyx => [z, y, x + Math.round((n - (count - 1) / 2) * apart)]);
}
process.stdout.write(JSON.stringify(results));
