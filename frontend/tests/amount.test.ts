/** What is marked is told in one unit, by one function: mL, and of an X-ray cm². */

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { disagreementsOf } from "../src/editor/disagreement";
import { differencesOf } from "../src/editor/differences";
import { Labelmap } from "../src/editor/labelmap";
import { SparseMask } from "../src/editor/sparsemask";
import { operate } from "../src/editor/operations";
import { RunBuilder, voxelsIn } from "../src/editor/runs";
import type { Zyx } from "../src/editor/types";
import { amountOf, unitOf } from "../src/ground/amount";

/** An X-ray: pixels of 2 × 0.5 mm; the depth of 1 mm means nothing. */
const FLAT: Zyx = [1, 20, 30];
const FLAT_SPACING: Zyx = [1, 2, 0.5];
const PIXEL_CM2 = 0.01;

function mapOf(shape: Zyx, ...rows: readonly (readonly [start: number, length: number])[]): Labelmap {
  const labels = new Labelmap(shape),
    runs = new RunBuilder();
  for (const [start, length] of rows) runs.push(start, length, 0, 1);
  labels.apply(runs.build(), new Set());
  return labels;
}

function overlayOf(labels: Labelmap): SparseMask {
  const chunks = labels.payloads(labels.occupiedChunks());
  return new SparseMask({ layer: "findings", shapeZyx: labels.shape, chunks, strokes: [] });
}

describe("amounts", () => {
  test("of volumes are mL, of images of one slice cm²", () => {
    expect([amountOf(500, [9, 9, 9], [2, 1, 0.5]), unitOf([9, 9, 9])]).toEqual([0.5, "mL"]);
    expect([amountOf(500, FLAT, FLAT_SPACING), unitOf(FLAT)]).toEqual([5, "cm²"]);
  });

  test("of differences in an X-ray", () => {
    const [found] = differencesOf(mapOf(FLAT, [0, 25]), overlayOf(mapOf(FLAT, [0, 5])), FLAT_SPACING);
    expect(found?.ml).toBeCloseTo(25 * PIXEL_CM2);
    expect(found?.addedMl).toBeCloseTo(20 * PIXEL_CM2);
  });

  test("under which islands of an X-ray go", () => {
    // 20 pixels are 0.2 cm², 4 are 0.04: with a depth of 1 mm, all would be under 0.1 mL.
    const labels = mapOf(FLAT, [0, 20], [90, 4]);
    const material = { labels, spacing: FLAT_SPACING, overlay: () => overlayOf(labels) };
    const { runs, params } = operate({ op: "remove-islands", segment: 1, underMl: 0.1, locked: [] }, material);
    expect(voxelsIn(runs)).toBe(4);
    expect(params).toEqual({ under_cm2: 0.1 });
  });

  test("of regions that two people drew, by what one voxel amounts to", () => {
    const runs = new RunBuilder();
    runs.push(0, 10, 1, 2);
    const [region] = disagreementsOf(runs.build(), FLAT, amountOf(1, FLAT, FLAT_SPACING));
    expect(region?.ml).toBeCloseTo(10 * PIXEL_CM2);
  });

  test("no other file names a unit of them", () => {
    const source = new URL("../src/", import.meta.url);
    // Checks: what lies outside the lungs, which no X-ray has.
    const known = new Set(["ground/amount.ts", "viewer/work/checks.ts"]);
    const files = (readdirSync(source, { recursive: true }) as string[]).filter((name) => /\.tsx?$/.test(name));
    const without = (text: string) => text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
    const naming = files.filter((name) => /\bmL\b|cm²/.test(without(readFileSync(new URL(name, source), "utf8"))));
    expect(naming.filter((name) => !known.has(name))).toEqual([]);
  });
});
