/**
 * Times operations on the largest mask there is, both lungs of a thin scan: `node operations.js FOLDER`. The lungs are
 * two ellipsoids with as much inner surface as vessels leave, so that nothing is a solid block. Answers JSON: for every
 * operation the milliseconds of the first call (processor time), as a reader meets it, and the voxels changed.
 */

import { Labelmap } from "../src/editor/labelmap";
import { Mask } from "../src/editor/mask";
import { type PlainOperation, operate } from "../src/editor/operations";
import type { Effect } from "../src/editor/operations/effect";
import { tally } from "../src/editor/runs";
import type { Zyx } from "../src/editor/types";

const SHAPE: Zyx = [300, 512, 512],
  SPACING: Zyx = [1.0, 0.7, 0.7];
const LUNGS_MM = [
    [150, 180, 108],
    [150, 180, 250],
  ],
  RADII_MM = [135, 100, 62];
const VESSEL_EVERY_MM = 14,
  VESSEL_MM = 3;
/** Drawn slices for the filling between them. */
const EVERY = 5;
const RULES = { segment: 1, overwrite: false, locked: [] };

/** Both lungs, with a lattice of vessels left out; about 8 million voxels. */
function lungs(every = 1): Labelmap {
  const labels = new Labelmap(SHAPE);
  for (let z = 0; z < SHAPE[0]; z += every) {
    for (let y = 0; y < SHAPE[1]; y++) {
      for (let x = 0; x < SHAPE[2]; x++) {
        const mm = [z * SPACING[0], y * SPACING[1], x * SPACING[2]];
        const inside = LUNGS_MM.some(
          (centre) => mm.reduce((sum, v, axis) => sum + ((v - centre[axis]!) / RADII_MM[axis]!) ** 2, 0) < 1,
        );
        const vessel = mm.filter((v) => v % VESSEL_EVERY_MM < VESSEL_MM).length >= 2;
        if (inside && !vessel) labels.data[labels.indexOf(z, y, x)] = 1;
      }
    }
  }
  labels.occupied.fill(1);
  labels.counts[1] = labels.data.reduce((sum, label) => sum + label, 0);
  labels.counts[0] = labels.data.length - labels.counts[1];
  return labels;
}

/** Milliseconds of processor time: on a busy machine the clock tells of others. */
function since(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

function timed(
  operation: PlainOperation,
  labels: Labelmap,
): { milliseconds: number; kept: number; added: number; removed: number; megabytes: number } {
  const mask = new Mask(SHAPE, "bench");
  mask.labels.data.set(labels.data);
  mask.labels.occupied.set(labels.occupied);
  mask.labels.counts.set(labels.counts);
  const start = process.cpuUsage();
  const { runs, segment, ijk, params }: Effect = operate(operation, {
    labels: mask.labels,
    spacing: SPACING,
    overlay: () => {
      throw new Error("no overlay");
    },
  });
  const milliseconds = since(start);
  const stroke = {
    id: "00000000-0000-4000-8000-000000000000",
    tool: operation.op,
    segment,
    ijk,
    radius_mm: 0,
    params,
    ...tally(runs),
    at: new Date().toISOString(),
  };
  mask.commit(runs, stroke);
  return {
    milliseconds,
    kept: since(start) - milliseconds,
    ...tally(runs),
    megabytes: process.memoryUsage().rss / 1e6,
  };
}

const whole = lungs(),
  drawn = lungs(EVERY);
const results = {
  "smooth 2 mm": timed({ op: "smooth", mm: 2, ...RULES }, whole),
  "smooth 5 mm": timed({ op: "smooth", mm: 5, ...RULES }, whole),
  "grow 2 mm": timed({ op: "resize", mm: 2, ...RULES }, whole),
  "grow 10 mm": timed({ op: "resize", mm: 10, ...RULES }, whole),
  "shrink 2 mm": timed({ op: "resize", mm: -2, ...RULES }, whole),
  "fill between slices": timed({ op: "interpolate", plane: "axial", ...RULES }, drawn),
  "fill between slices, nothing missing": timed({ op: "interpolate", plane: "sagittal", ...RULES }, whole),
  "fill holes": timed({ op: "fill-holes", perSlice: false, ...RULES }, whole),
  "remove islands": timed({ op: "remove-islands", segment: 1, underMl: 1 }, whole),
  convert: timed({ op: "convert", from: 1, to: 2, at: null }, whole),
  "convert the lesion": timed({ op: "convert", from: null, to: 2, at: [154, 250, 145] }, whole),
  clear: timed({ op: "clear", segment: 1 }, whole),
};
process.stdout.write(JSON.stringify(results));
