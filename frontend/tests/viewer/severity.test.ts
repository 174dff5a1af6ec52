import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Region } from "../../src/editor/types";
import { gradeOf, involvement, LOBES, wordOf } from "../../src/viewer/scan/severity";

interface Vector {
  readonly shares: readonly number[];
  readonly grades: readonly number[];
  readonly total: number;
  readonly word: string;
}
const VECTORS = JSON.parse(
  readFileSync(new URL("../../../tests/vectors/severity.json", import.meta.url), "utf8"),
) as Vector[];
const LAYER = {
  segments: LOBES.map((key, n) => ({ id: n + 1, key, name: key, colour: "#000000", infectious: false })),
};
const regions = (shares: readonly number[]): Region[] =>
  shares.map((share, n) => ({ region: n + 1, voxels: 10_000, taken: { 1: share * 100, 4: 50 } }));

describe("the CT severity score", () => {
  it.each(VECTORS)("of $shares is $total, $word", ({ shares, grades, total, word }) => {
    expect(shares.map(gradeOf)).toEqual(grades);
    const found = involvement(regions(shares), new Set([1]), LAYER);
    expect([found.score, found.grades, wordOf(found.score ?? -1)]).toEqual([total, grades, word]);
  });

  it("is not told without a lobe, and a lobe that is missing counts as 0", () => {
    expect(involvement([{ region: 10, voxels: 100, taken: { 1: 7 } }], new Set([1]), LAYER)).toMatchObject({
      score: null,
      percent: 7,
    });
    expect(involvement(regions([10, 10]), new Set([1]), LAYER)).toMatchObject({
      score: 4,
      grades: [2, 2, null, null, null],
    });
  });

  it("has no share where nothing is known of the lungs", () => {
    expect(involvement([], new Set([1]), null)).toMatchObject({ percent: null, score: null });
  });
});
