import { describe, expect, test } from "vitest";
import { ballRuns, writableByErasing, writableByPaint } from "../../src/editor/brushes";
import { Labelmap } from "../../src/editor/labelmap";
import { invert } from "../../src/editor/runs";
import type { Zyx } from "../../src/editor/types";
import { inflate, readVectors } from "./vectors";

interface Case {
  name: string;
  tool: "sphere" | "circle" | "erase";
  shape_zyx: Zyx;
  spacing_mm_zyx: Zyx;
  labels_gz: string;
  after_gz: string;
  segment: number;
  overwrite: boolean;
  planar: boolean;
  centre_zyx: Zyx;
  radius_mm: number;
  changed: number;
}

describe("plain brushes", () => {
  test.each(readVectors<{ strokes: Case[] }>("growing.json").strokes)("$name", (c) => {
    const labels = new Labelmap(c.shape_zyx);
    const before = inflate(c.labels_gz);
    labels.data.set(before);
    const writable =
      c.tool === "erase"
        ? writableByErasing(c.overwrite ? null : [c.segment], [])
        : writableByPaint(c.segment, c.overwrite, []);
    const input = { shape: c.shape_zyx, spacing: c.spacing_mm_zyx, labels: labels.data, hu: new Int16Array(0) };
    const runs = ballRuns(
      input,
      c.centre_zyx,
      c.radius_mm,
      c.planar ? "axial" : null,
      writable,
      c.tool === "erase" ? 255 : c.segment,
      null,
    );
    labels.apply(runs, new Set());
    expect(runs.length.reduce((sum, n) => sum + n, 0)).toBe(c.changed);
    expect(Buffer.compare(labels.data, inflate(c.after_gz))).toBe(0);
    labels.apply(invert(runs), new Set());
    expect(Buffer.compare(labels.data, before)).toBe(0);
  });

  test("a locked segment is never changed", () => {
    const labels = new Labelmap([5, 20, 20]);
    labels.data.fill(3, 0, 600);
    const input = { shape: labels.shape, spacing: [1, 1, 1] as Zyx, labels: labels.data, hu: new Int16Array(0) };
    for (const writable of [writableByPaint(1, true, [3]), writableByErasing(null, [3])]) {
      const runs = ballRuns(input, [1, 10, 10], 30, null, writable, 1, null);
      expect([...runs.before].includes(3)).toBe(false);
    }
    expect(ballRuns(input, [1, 10, 10], 30, null, writableByPaint(1, true, [1]), 1, null).count).toBe(0);
  });

  test("the threshold keeps to its window, both ends included", () => {
    const hu = Int16Array.from({ length: 125 }, (_, n) => n);
    const input = { shape: [5, 5, 5] as Zyx, spacing: [1, 1, 1] as Zyx, labels: new Uint8Array(125), hu };
    const runs = ballRuns(input, [2, 2, 2], 9, null, writableByPaint(1, false, []), 1, { lo: 10, hi: 20 });
    expect([runs.count, runs.start[0], runs.length[0]]).toEqual([1, 10, 11]);
  });
});
