import { describe, expect, it } from "vitest";
import type { GridGeometry } from "../../src/viewer/geometry/grid";
import { frontOf, scoutOf } from "../../src/viewer/geometry/scout";
import { perAxis } from "../../src/editor/types";

/** A grid of 6 × 5 × 4 voxels (k, j, i) whose i, j, k run along patient axes (0 L, 1 P, 2 S) with signs. */
function grid(axes: readonly number[], signs: readonly number[]): GridGeometry {
  const lps = perAxis((row) => [...perAxis((n) => (axes[n] === row ? signs[n]! : 0)), 0] as const);
  return { shapeZyx: [6, 5, 4], spacingMmZyx: [1, 1, 1], lpsFromIjk: lps };
}

describe("the scout", () => {
  it.each([
    ["stored as usual", [0, 1, 2], [1, 1, 1]],
    ["feet first", [0, 1, 2], [1, 1, -1]],
    ["turned about", [0, 1, 2], [-1, -1, 1]],
    ["a coronal series", [0, 2, 1], [1, -1, 1]],
    ["a sagittal series", [1, 2, 0], [1, -1, -1]],
  ])("shows the head above and the patient's left on the right: %s", (_, axes, signs) => {
    const geometry = grid(axes, signs);
    const sizes = [4, 5, 6];
    // The first voxel towards left and head is the only dense one on its way from chest to back.
    const at = axes.map((axis, n) => (axis === 1 ? 1 : signs[n]! > 0 ? sizes[n]! - 1 : 0));
    const preview = new Uint8Array(4 * 5 * 6).fill(10);
    preview[(at[2]! * 5 + at[1]!) * 4 + at[0]!] = 200;
    const { width, height, grey, layout } = scoutOf(preview, geometry.shapeZyx, frontOf(geometry));
    expect(layout.name).toBe("Coronal");
    expect([width, height]).toEqual([sizes[axes.indexOf(0)], sizes[axes.indexOf(2)]]);
    expect([...grey].map((value, p) => (value ? p : -1)).filter((p) => p >= 0)).toEqual([width - 1]);
    expect(grey[width - 1]).toBe(255);
  });

  it("is the mean of the way, stretched from the least to the most dense", () => {
    const preview = Uint8Array.from([0, 10, /* */ 20, 30, /* next slice */ 0, 0, /* */ 0, 8]);
    const { grey } = scoutOf(
      preview,
      [2, 2, 2],
      frontOf({
        shapeZyx: [2, 2, 2],
        spacingMmZyx: [1, 1, 1],
        lpsFromIjk: [
          [1, 0, 0, 0],
          [0, 1, 0, 0],
          [0, 0, 1, 0],
        ],
      }),
    );
    // Sums 20, 40 below and 0, 8 above; the higher slice lies nearer to the head.
    expect([...grey]).toEqual([0, 51, 128, 255]);
  });

  it("needs the preview no more once it is made", () => {
    const geometry = grid([0, 1, 2], [1, 1, 1]);
    const preview = new Uint8Array(4 * 5 * 6).fill(10);
    preview[0] = 200;
    const scout = scoutOf(preview, geometry.shapeZyx, frontOf(geometry));
    scout.settle();
    preview.fill(0);
    expect(Math.max(...scout.grey)).toBe(255);
  });
});
