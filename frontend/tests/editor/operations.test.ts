import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ballRuns, writableByPaint } from "../../src/editor/brushes";
import { componentsOf } from "../../src/editor/components";
import { Labelmap } from "../../src/editor/labelmap";
import { SparseMask } from "../../src/editor/sparsemask";
import { type PlainOperation, operate } from "../../src/editor/operations";
import { signedDistance } from "../../src/editor/operations/distance";
import { type Point, rowsInside } from "../../src/editor/operations/polygon";
import { invert, voxelsIn } from "../../src/editor/runs";
import type { Zyx } from "../../src/editor/types";

const SHAPE: Zyx = [24, 30, 33];
const SPACING: Zyx = [2, 0.8, 0.7];
const RULES = { segment: 1, overwrite: false, locked: [] as number[] };

function ball(labels: Labelmap, centre: Zyx, radiusMm: number, value = 1): void {
  const input = { shape: labels.shape, spacing: SPACING, labels: labels.data, hu: new Int16Array(0) };
  labels.apply(ballRuns(input, centre, radiusMm, null, writableByPaint(value, true, []), value, null), new Set());
}

function overlayOf(labels: Labelmap): SparseMask {
  return new SparseMask({
    layer: "findings",
    shapeZyx: labels.shape,
    chunks: labels.payloads(labels.occupiedChunks()),
    strokes: [],
  });
}

/** Runs the operation, checks that its inverse restores every voxel, and leaves it applied. */
function run(operation: PlainOperation, labels: Labelmap, overlay?: SparseMask): number {
  const before = labels.data.slice();
  const { runs } = operate(operation, { labels, spacing: SPACING, overlay: () => overlay! });
  labels.apply(runs, new Set());
  const after = labels.data.slice();
  labels.apply(invert(runs), new Set());
  expect(Buffer.compare(labels.data, before)).toBe(0);
  labels.apply(runs, new Set());
  expect(Buffer.compare(labels.data, after)).toBe(0);
  return voxelsIn(runs);
}

const at = (z: number, y: number, x: number): number => (z * SHAPE[1] + y) * SHAPE[2] + x;
const count = (labels: Labelmap, value: number): number =>
  labels.data.reduce((sum, label) => sum + Number(label === value), 0);

describe("distance", () => {
  test("equals brute force", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }), (bits) => {
        const set = Uint8Array.from(bits, Number);
        fc.pre(bits.includes(true) && bits.includes(false));
        const got = signedDistance(set, 10, 6, 0.7, 1.3);
        for (let n = 0; n < 60; n++) {
          let least = Infinity;
          for (let m = 0; m < 60; m++) {
            if (set[m] === set[n]) continue;
            least = Math.min(
              least,
              Math.hypot(((n % 10) - (m % 10)) * 0.7, (Math.floor(n / 10) - Math.floor(m / 10)) * 1.3),
            );
          }
          expect(got[n]).toBeCloseTo(set[n] ? least : -least, 9);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("lasso and scissors", () => {
  test("a pixel is inside when its middle is", () => {
    const inside = (points: readonly Point[], u: number, v: number): boolean => {
      let odd = false;
      points.forEach(([u0, v0], n) => {
        const [u1, v1] = points[(n + 1) % points.length]!;
        if (v0 <= v !== v1 <= v && u >= u0 + ((v - v0) / (v1 - v0)) * (u1 - u0)) odd = !odd;
      });
      return odd;
    };
    const coordinate = fc.double({ min: -3, max: 15, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(coordinate, coordinate), { minLength: 3, maxLength: 9 }), (points) => {
        const rows = rowsInside(points, 12, 10);
        for (let v = 0; v < 10; v++)
          for (let u = 0; u < 12; u++) {
            let found = false;
            for (let n = 0; n < rows[v]!.length; n += 2) found ||= u >= rows[v]![n]! && u < rows[v]![n + 1]!;
            expect(found).toBe(inside(points, u, v));
          }
      }),
    );
  });

  test.each(["axial", "coronal", "sagittal"] as const)(
    "%s: the lasso paints its square, on its slices only",
    (plane) => {
      const labels = new Labelmap(SHAPE);
      const square: Point[] = [
        [4.5, 3.5],
        [10.5, 3.5],
        [10.5, 8.5],
        [4.5, 8.5],
      ];
      expect(run({ op: "lasso", plane, slices: [7, 8], points: square, ...RULES }, labels)).toBe(2 * 6 * 5);
      const [column, row] = [5, 4];
      const place =
        plane === "axial" ? at(7, row, column) : plane === "coronal" ? at(row, 7, column) : at(row, column, 7);
      expect(labels.data[place]).toBe(1);
    },
  );

  test("scissors remove inside or outside, never background, never what is locked", () => {
    for (const outside of [false, true]) {
      const labels = new Labelmap(SHAPE);
      ball(labels, [12, 15, 16], 6);
      labels.data[at(12, 15, 16)] = 2;
      const before = count(labels, 1);
      const half: Point[] = [
        [-1, -1],
        [15.5, -1],
        [15.5, 40],
        [-1, 40],
      ];
      const removed = run(
        { op: "scissors", plane: "axial", slices: [0, 23], points: half, outside, segments: null, locked: [2] },
        labels,
      );
      expect(count(labels, 255)).toBe(removed);
      expect(count(labels, 1)).toBe(before - removed);
      expect(removed).toBeGreaterThan(100);
      expect(labels.data[at(12, 15, 16)]).toBe(2);
    }
  });
});

describe("between drawn slices", () => {
  test("a ball drawn on every fourth slice comes back", () => {
    const whole = new Labelmap([41, 60, 60]),
      drawn = new Labelmap([41, 60, 60]);
    for (const labels of [whole, drawn]) {
      for (let z = 0; z < 41; z++)
        for (let y = 0; y < 60; y++)
          for (let x = 0; x < 60; x++) {
            if ((z - 20) ** 2 + (y - 30) ** 2 + (x - 30) ** 2 <= 256 && (labels === whole || z % 4 === 0))
              labels.data[labels.indexOf(z, y, x)] = 1;
          }
      labels.occupied.fill(1);
    }
    const { runs } = operate(
      { op: "interpolate", plane: "axial", ...RULES },
      { labels: drawn, spacing: [1, 1, 1], overlay: () => overlayOf(drawn) },
    );
    drawn.apply(runs, new Set());
    let both = 0,
      sum = 0;
    whole.data.forEach((label, n) => {
      both += label & drawn.data[n]!;
      sum += label + drawn.data[n]!;
    });
    expect((2 * both) / sum).toBeGreaterThan(0.96);
  });

  test("joins each lesion with itself, leaves complete ones and erased voxels alone", () => {
    const labels = new Labelmap(SHAPE);
    const draw = (z: number, y: number, x: number): void => {
      const step = {
        op: "lasso",
        plane: "axial",
        slices: [z, z],
        points: [
          [x, y],
          [x + 5.5, y],
          [x + 5.5, y + 5.5],
          [x, y + 5.5],
        ],
        ...RULES,
      } as const;
      run(step, labels);
    };
    draw(3, 3, 3);
    draw(8, 3, 3);
    for (let z = 2; z < 10; z++) draw(z, 18, 20);
    labels.data[at(5, 5, 5)] = 255;
    const before = labels.data.slice();
    expect(run({ op: "interpolate", plane: "axial", ...RULES }, labels)).toBe(4 * 36 - 1);
    expect(labels.data[at(5, 5, 5)]).toBe(255);
    expect(componentsOf(labels).map((part) => part.voxels)).toEqual([8 * 36, 6 * 36 - 1]);
    for (let n = 0; n < before.length; n++) if (before[n]) expect(labels.data[n]).toBe(before[n]);
  });
});

/** Whether a voxel with this label, 0 outside the volume, lies within `mm`. */
function isNear(data: Uint8Array, [z, y, x]: Zyx, mm: number, label: number): boolean {
  const labelAt = (k: number, j: number, i: number): number =>
    [k, j, i].every((v, axis) => v >= 0 && v < SHAPE[axis]!) ? data[at(k, j, i)]! : 0;
  for (let dz = -2; dz <= 2; dz++)
    for (let dy = -4; dy <= 4; dy++)
      for (let dx = -5; dx <= 5; dx++) {
        const isWithin = (dz * 2) ** 2 + (dy * 0.8) ** 2 + (dx * 0.7) ** 2 <= mm * mm + 1e-6;
        if (isWithin && labelAt(z + dz, y + dy, x + dx) === label) return true;
      }
  return false;
}

describe("grow, shrink, smooth", () => {
  test.each([1.5, 3, -1.5, -3])("by %d mm equals the distances", (mm) => {
    const labels = new Labelmap(SHAPE);
    ball(labels, [12, 15, 16], 5);
    ball(labels, [10, 12, 20], 4);
    const before = labels.data.slice();
    run({ op: "resize", mm, ...RULES }, labels);
    const [nz, ny, nx] = SHAPE;
    for (let z = 0; z < nz; z++)
      for (let y = 0; y < ny; y++)
        for (let x = 0; x < nx; x++) {
          const near = isNear(before, [z, y, x], Math.abs(mm), mm > 0 ? 1 : 0);
          if ((labels.data[at(z, y, x)] === 1) !== (mm > 0 ? near : before[at(z, y, x)] === 1 && !near))
            throw new Error(`${z} ${y} ${x}`);
        }
  });

  test("smoothing takes off a spike and a pit, and keeps the volume", () => {
    const labels = new Labelmap(SHAPE);
    ball(labels, [12, 15, 16], 7);
    const before = count(labels, 1);
    const spike = at(12, 15, 28),
      pit = at(12, 15, 16);
    expect(labels.data[spike]).toBe(0);
    labels.data[spike] = 1;
    labels.data[pit] = 0;
    run({ op: "smooth", mm: 2, ...RULES }, labels);
    expect([labels.data[spike], labels.data[pit]]).toEqual([0, 1]);
    expect(Math.abs(count(labels, 1) - before) / before).toBeLessThan(0.05);
  });

  test("erased voxels and other segments stay as they are", () => {
    const labels = new Labelmap(SHAPE);
    ball(labels, [12, 15, 16], 4);
    labels.data[at(12, 15, 23)] = 255;
    labels.data[at(12, 15, 9)] = 2;
    labels.occupied.fill(1);
    run({ op: "resize", mm: 4, ...RULES }, labels);
    expect([labels.data[at(12, 15, 23)], labels.data[at(12, 15, 9)], labels.data[at(12, 15, 24)]]).toEqual([255, 2, 1]);
  });
});

describe("with an overlay", () => {
  test("intersect and subtract share the segment between them", () => {
    const other = new Labelmap(SHAPE);
    ball(other, [12, 15, 22], 5, 3);
    const left = new Labelmap(SHAPE),
      right = new Labelmap(SHAPE);
    ball(left, [12, 15, 16], 5);
    ball(right, [12, 15, 16], 5);
    const whole = count(left, 1);
    run({ op: "intersect", segment: 1, overlay: "prediction", with: null }, left, overlayOf(other));
    run({ op: "subtract", segment: 1, overlay: "prediction", with: 3 }, right, overlayOf(other));
    expect(count(left, 1) + count(right, 1)).toBe(whole);
    expect(count(left, 1)).toBeGreaterThan(50);
    left.data.forEach((label, n) => {
      if (label === 1) expect(other.data[n]).toBe(3);
    });
  });

  test("copies the part under the cursor and nothing else", () => {
    const other = new Labelmap(SHAPE),
      labels = new Labelmap(SHAPE);
    ball(other, [5, 8, 8], 3, 3);
    ball(other, [18, 20, 22], 3, 3);
    const one = componentsOf(other).find((part) => part.starts[0]! < at(12, 0, 0))!.voxels;
    expect(
      run(
        { op: "copy", overlay: "prediction", at: [8, 8, 5], into: 2, overwrite: false, locked: [] },
        labels,
        overlayOf(other),
      ),
    ).toBe(one);
    expect(count(labels, 2)).toBe(one);
  });
});
