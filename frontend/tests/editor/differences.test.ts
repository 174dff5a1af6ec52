import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { differencesOf, isSameMask } from "../../src/editor/differences";
import { Labelmap } from "../../src/editor/labelmap";
import { SparseMask } from "../../src/editor/sparsemask";
import { operate } from "../../src/editor/operations";
import { RunBuilder, invert } from "../../src/editor/runs";
import { type Difference, ERASED, type Ijk, type Zyx } from "../../src/editor/types";
import { inflate, readVectors } from "./vectors";

const SPACING: Zyx = [2, 1, 1];
interface Vector {
  name: string;
  shape_zyx: Zyx;
  now_gz: string;
  then_gz: string;
  differences: { kind: string; added: number; removed: number; relabelled: number; box: number[] }[];
}

function mapOf(shape: Zyx, values: Uint8Array): Labelmap {
  const labels = new Labelmap(shape),
    runs = new RunBuilder();
  values.forEach((value, at) => runs.push(at, 1, 0, value));
  labels.apply(runs.build(), new Set());
  return labels;
}

const overlayOf = (shape: Zyx, values: Uint8Array): SparseMask => {
  const labels = mapOf(shape, values);
  return new SparseMask({
    layer: "findings",
    shapeZyx: shape,
    chunks: labels.payloads(labels.occupiedChunks()),
    strokes: [],
  });
};
const boxOf = ({ box: { z0, z1, y0, y1, x0, x1 } }: Difference): number[] => [z0, z1, y0, y1, x0, x1];
const marks = (label: number): boolean => label !== 0 && label !== ERASED;
const background = (values: Uint8Array): number[] => [...values].map((label) => (label === ERASED ? 0 : label));

test("two masks are the same when every voxel is, erased ones too", () => {
  const shape: Zyx = [33, 40, 35];
  const values = new Uint8Array(shape[0] * shape[1] * shape[2]);
  values.fill(2, 5000, 5040);
  values[40_000] = ERASED;
  const mask = mapOf(shape, values);
  expect(isSameMask(mask, overlayOf(shape, values))).toBe(true);
  for (const [at, label] of [
    [40_000, 0],
    [5000, 1],
    [values.length - 1, 3],
  ] as const) {
    const other = values.slice();
    other[at] = label;
    expect(isSameMask(mask, overlayOf(shape, other))).toBe(false);
    expect(isSameMask(mapOf(shape, other), overlayOf(shape, values))).toBe(false);
  }
});

describe("differences", () => {
  test.each(readVectors<Vector[]>("differences.json"))(
    "$name: as scipy finds them",
    ({ shape_zyx: shape, now_gz, then_gz, differences }) => {
      const now = inflate(now_gz),
        then = inflate(then_gz);
      const found = differencesOf(mapOf(shape, now), overlayOf(shape, then), SPACING);
      const plain = found.map((part) => ({
        kind: part.kind,
        added: part.added,
        removed: part.removed,
        relabelled: part.relabelled,
        box: boxOf(part),
      }));
      const order = (a: { box: number[] }, b: { box: number[] }): number => {
        const n = a.box.findIndex((v, m) => v !== b.box[m]);
        return n < 0 ? 0 : a.box[n]! - b.box[n]!;
      };
      expect(plain.sort(order)).toEqual(differences);
      for (const {
        ijk: [i, j, k],
        added,
        addedMl,
      } of found) {
        const at = (k * shape[1] + j) * shape[2] + i;
        expect(background(now.subarray(at, at + 1))).not.toEqual(background(then.subarray(at, at + 1)));
        expect(addedMl).toBeCloseTo(added * 0.002);
      }
    },
  );

  const shape: Zyx = [6, 8, 34];
  const size = 6 * 8 * 34;
  const volume = fc
    .array(fc.tuple(fc.nat(size - 1), fc.constantFrom(1, 2, ERASED)), { maxLength: 250 })
    .map((spots) => {
      const values = new Uint8Array(size);
      for (const [at, label] of spots) values[at] = label;
      return values;
    });

  test("reverting all of them one by one gives the other mask, and each is undone whole", () => {
    fc.assert(
      fc.property(volume, volume, (now, then) => {
        const labels = mapOf(shape, now),
          overlay = overlayOf(shape, then);
        const material = { labels, spacing: SPACING, overlay: () => overlay };
        const count = differencesOf(labels, overlay, SPACING).length;
        for (let left = count; left > 0; left--) {
          const { ijk } = differencesOf(labels, overlay, SPACING)[0]!;
          const before = labels.data.slice();
          const { runs } = operate({ op: "revert", overlay: "author", at: ijk, locked: [] }, material);
          labels.apply(runs, new Set());
          labels.apply(invert(runs), new Set());
          expect(Buffer.compare(labels.data, before)).toBe(0);
          labels.apply(runs, new Set());
          expect(differencesOf(labels, overlay, SPACING)).toHaveLength(left - 1);
        }
        expect(background(labels.data)).toEqual(background(then));
      }),
      { numRuns: 40 },
    );
  });

  test("reverting leaves other lesions, erased voxels and locked segments alone", () => {
    const now = new Uint8Array(size),
      then = new Uint8Array(size);
    now.fill(1, 4, 8);
    now.fill(2, 20, 24);
    now.fill(ERASED, 28, 30);
    then.fill(1, 5, 7);
    const labels = mapOf(shape, now),
      material = { labels, spacing: SPACING, overlay: () => overlayOf(shape, then) };
    const revert = (at: Ijk, locked: number[] = []) => {
      labels.apply(operate({ op: "revert", overlay: "author", at, locked }, material).runs, new Set());
    };
    revert([4, 0, 0], [1]);
    expect([...labels.data]).toEqual([...now]);
    revert([4, 0, 0]);
    expect([...labels.data.subarray(0, 10)].map(marks)).toEqual([...then.subarray(0, 10)].map(marks));
    expect([...labels.data.subarray(20, 30)]).toEqual([...now.subarray(20, 30)]);
  });
});
