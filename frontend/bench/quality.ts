/**
 * Lets the scripted reader draw the cases that benchmarks/quality.py lays out: `node quality.js FOLDER`. A case is
 * `NAME.json` beside the raw `NAME.hu` (int16), `NAME.limit` and `NAME.truth` (a byte a voxel). Answers JSON: for every
 * case and tool the Dice after each stroke, and the voxels of one growing stroke to compare with the reference.
 */

import { readFileSync, readdirSync } from "node:fs";
import { BitVolume } from "../src/editor/bitvolume";
import { grownRuns, writableByGrowing } from "../src/editor/brushes";
import { grow } from "../src/editor/growing";
import type { Zyx } from "../src/editor/types";
import { type Scene, TOOLS, readLesion } from "./reader";

interface Case {
  shape_zyx: Zyx;
  spacing_mm_zyx: Zyx;
  background_hu: number;
  lesion_hu: number;
  seed: number;
  check_zyx: Zyx;
  check_radius_mm: number;
}

const [folder] = process.argv.slice(2);
const results: Record<string, unknown> = {};
for (const file of readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .sort()) {
  const name = file.replace(/\.json$/, "");
  const c = JSON.parse(readFileSync(`${folder}/${file}`, "utf8")) as Case;
  const bytes = (part: string) => new Uint8Array(readFileSync(`${folder}/${name}.${part}`));
  const limit = new BitVolume(c.shape_zyx);
  bytes("limit").forEach((bit, n) => {
    const x = n % c.shape_zyx[2];
    if (bit) limit.bits[Math.floor(n / c.shape_zyx[2]) * limit.wordsPerRow + (x >>> 5)] |= 1 << (x & 31);
  });
  const scene: Scene = {
    shape: c.shape_zyx,
    spacing: c.spacing_mm_zyx,
    hu: new Int16Array(bytes("hu").buffer),
    limit,
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
