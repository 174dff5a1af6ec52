import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BitVolume } from "../../src/editor/bitvolume";
import { componentsOf } from "../../src/editor/components";
import { Labelmap } from "../../src/editor/labelmap";
import { histogramOf, lesionsOf, modelVoxels } from "../../src/editor/lesions";
import type { Zyx } from "../../src/editor/types";

const SHAPE: Zyx = [3, 5, 40];

function labelmap(boxes: readonly (readonly [number, number, number, number])[]): Labelmap {
  const map = new Labelmap(SHAPE);
  for (const [y, x0, x1, label] of boxes) for (let x = x0; x < x1; x++) map.data[map.indexOf(1, y, x)] = label;
  map.occupied.fill(1);
  return map;
}

describe("lesions beside the model", () => {
  it("count the model's part with the lesion that it overlaps most", () => {
    // One part of the model over two lesions: 10 voxels of it in the first, 3 in the second, 2 in neither.
    const mine = labelmap([
      [1, 0, 10, 1],
      [1, 12, 20, 1],
      [3, 30, 35, 1],
    ]);
    const model = labelmap([
      [1, 0, 15, 1],
      [4, 0, 4, 1],
    ]);
    expect(modelVoxels(componentsOf(mine), componentsOf(model))).toEqual([12, 3, 0]);
  });

  it("take parts of the same segment only", () => {
    expect(modelVoxels(componentsOf(labelmap([[1, 0, 10, 2]])), componentsOf(labelmap([[1, 0, 10, 1]])))).toEqual([0]);
  });

  it("lose no voxel of a part that touches a lesion", () => {
    const rows = fc.uint8Array({ minLength: 40, maxLength: 40, max: 2 });
    fc.assert(
      fc.property(rows, rows, (a, b) => {
        const [mine, model] = [new Labelmap(SHAPE), new Labelmap(SHAPE)];
        for (let x = 0; x < 40; x++) {
          mine.data[mine.indexOf(1, 2, x)] = a[x]!;
          model.data[model.indexOf(1, 2, x)] = b[x]!;
        }
        mine.occupied.fill(1);
        model.occupied.fill(1);
        const lesions = componentsOf(mine),
          parts = componentsOf(model);
        const touched = parts.filter((p) =>
          p.starts.some((start, n) => {
            for (let at = start; at < start + p.lengths[n]!; at++) if (mine.data[at] === p.label) return true;
            return false;
          }),
        );
        const total = (of: readonly { voxels: number }[]) => of.reduce((sum, { voxels }) => sum + voxels, 0);
        expect(modelVoxels(lesions, parts).reduce((sum, v) => sum + v, 0)).toBe(total(touched));
      }),
    );
  });
});

describe("histogram of a lesion", () => {
  it("counts its voxels and those of the lung round it", () => {
    const mine = labelmap([[1, 10, 20, 1]]);
    const hu = new Int16Array(SHAPE[0] * SHAPE[1] * SHAPE[2]).fill(-850);
    for (let x = 10; x < 20; x++) hu[mine.indexOf(1, 1, x)] = -100 + x;
    const limit = new BitVolume(SHAPE);
    limit.bits.fill(-1);
    const found = histogramOf(mine, hu, 0, limit, [5, 5, 5], [12, 1, 1]);
    expect(found && [...found.lesion].reduce((a, b) => a + b)).toBe(10);
    expect(found && [...found.lung].reduce((a, b) => a + b)).toBe(3 * 5 * 16 - 10);
    expect(found?.lesion.findIndex((n) => n > 0)).toBe(Math.floor((-90 - (found?.lo ?? 0)) / (found?.step ?? 1)));
    expect(histogramOf(mine, hu, 0, limit, [5, 5, 5], [30, 1, 1])).toBeNull();
  });

  it("tells values with the offset added", () => {
    const mine = labelmap([[1, 10, 12, 1]]);
    const hu = new Int16Array(SHAPE[0] * SHAPE[1] * SHAPE[2]).fill(20_000);
    expect(histogramOf(mine, hu, 32_768, null, [1, 1, 1], [10, 1, 1])?.lo).toBe(52_768);
    expect(lesionsOf(mine, [1, 1, 1], hu, () => true, 32_768)[0]!.meanHu).toBe(52_768);
  });
});
