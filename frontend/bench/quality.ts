/**
 * Lets the scripted reader draw the cases that benchmarks/quality.py lays out: `node quality.js FOLDER`. A case is
 * `NAME.json` beside the raw `NAME.hu` (int16), `NAME.limit` and `NAME.truth` (a byte a voxel). Answers JSON: for every
 * case and tool the Dice after each stroke, and the voxels of one growing stroke to compare with the reference.
 */

import { grownRuns, writableByGrowing } from "../src/editor/brushes";
import { grow } from "../src/editor/growing";
import type { Zyx } from "../src/editor/types";
import { casesOf } from "./cases";
import type { Scene } from "./parts";
import { TOOLS, readLesion } from "./reader";

interface Case {
  shape_zyx: Zyx;
  spacing_mm_zyx: Zyx;
  background_hu: number;
  lesion_hu: number;
  seed: number;
  check_zyx: Zyx;
  check_radius_mm: number;
}

const results: Record<string, unknown> = {};
for (const { name, case: c, hu, bytes, limit } of casesOf<Case>()) {
  const scene: Scene = {
    shape: c.shape_zyx,
    spacing: c.spacing_mm_zyx,
    hu,
    limit: limit(),
    backgroundHu: c.background_hu,
    truth: bytes("truth"),
    lesionHu: c.lesion_hu,
  };
  const input = { ...scene, labels: new Uint8Array(scene.truth.length) };
  const runs = grownRuns(input, grow(input, 1, c.check_zyx, c.check_radius_mm), writableByGrowing(1, false, []), 1);
  const grown = Array.from({ length: runs.count }, (_, n) => [runs.start[n], runs.length[n]]);
  results[name] = { grown, tools: Object.fromEntries(TOOLS.map((tool) => [tool, readLesion(scene, tool, c.seed)])) };
}
process.stdout.write(JSON.stringify(results));
