import { describe, expect, it } from "vitest";
import { boxBetween, outlineOf } from "../../src/viewer/geometry/box";
import { cutLabels } from "../../src/editor/cut";
import { patchesOf } from "../../src/editor/patches";
import { RunBuilder } from "../../src/editor/runs";
import { type Plane, type Zyx, perAxis } from "../../src/editor/types";
import { PaneGeometry } from "../../src/viewer/geometry/pane";
import type { GridGeometry } from "../../src/viewer/geometry/grid";
import {
  cutOf,
  lettersOf,
  rasterOf,
  resliceRow,
  turnedFrame,
  type Frame,
  type ObliquePicture,
  type Raster,
  type Vector,
} from "../../src/viewer/geometry/oblique";
import { RowsInTurn } from "../../src/viewer/image/rows";
import { projectRow, seenThrough, slabRange, thicknessOf, type SlabKind } from "../../src/viewer/geometry/slab";
import { regionFacts, type RegionKind } from "../../src/viewer/geometry/statistics";
import { greyTable, presetsOf } from "../../src/viewer/geometry/window";
import { inflate, inflateInt16, readVectors } from "../editor/vectors";

interface Vectors {
  readonly shape_zyx: Zyx;
  readonly spacing_mm_zyx: Zyx;
  readonly hu_gz: string;
  readonly labels_gz: string;
  readonly slabs: readonly { plane: Plane; from: number; to: number; kind: SlabKind; hu_gz: string }[];
  readonly obliques: readonly { frame: Frame; centre: Vector; raster: Raster; values: number[]; labels_gz: string }[];
  readonly regions: readonly {
    plane: Plane;
    index: number;
    kind: RegionKind;
    box: [number, number, number, number];
    voxels: number;
    facts: (number | null)[];
  }[];
}

const vectors = readVectors<Vectors>("seeing.json");
const shape = vectors.shape_zyx;
const hu = inflateInt16(vectors.hu_gz);
const spacing: Vector = [vectors.spacing_mm_zyx[2], vectors.spacing_mm_zyx[1], vectors.spacing_mm_zyx[0]];
const grid: GridGeometry = {
  shapeZyx: shape,
  spacingMmZyx: vectors.spacing_mm_zyx,
  lpsFromIjk: [
    [spacing[0], 0, 0, 0],
    [0, spacing[1], 0, 0],
    [0, 0, spacing[2], 0],
  ],
};

/** An oblique picture, row by row. */
function reslice(cut: Pick<ObliquePicture, "frame" | "centre" | "raster" | "slab">): Int16Array {
  const { width, height } = cut.raster;
  const out = new Int16Array(width * height);
  for (let row = 0; row < height; row++) resliceRow({ hu, shape, spacing, outside: -1000, ...cut }, row, out);
  return out;
}

describe("slabs", () => {
  it("project as numpy does", () => {
    for (const { plane, from, to, kind, hu_gz: wanted } of vectors.slabs) {
      const expected = inflateInt16(wanted);
      const out = new Int16Array(expected.length);
      const rows = new RowsInTurn(
        plane === "sagittal" ? shape[1] : shape[2],
        plane === "axial" ? shape[1] : shape[0],
        out,
        (row) => projectRow(hu, shape, plane, from, to, kind, row, out),
      );
      while (!rows.finished) rows.work(1);
      expect([...out], `${plane} ${kind} ${from}-${to}`).toEqual([...expected]);
    }
  });

  it("have as many slices on both sides of the middle one", () => {
    expect(slabRange(20, 40, 2.5, 10)).toEqual([18, 23]);
    expect([10, 14].map((mm) => thicknessOf(4.2, mm))).toEqual([12.600000000000001, 12.600000000000001]);
    expect(thicknessOf(2.5, 2)).toBe(2.5);
    expect(slabRange(20, 40, 2.5, 2.5)).toEqual([20, 21]);
    expect(slabRange(0, 40, 1, 5)).toEqual([0, 3]);
    expect(slabRange(39, 40, 1, 5)).toEqual([37, 40]);
  });
});

describe("rows in turn", () => {
  it("are a coarse picture at once and the whole one in the end, every row made once", () => {
    const made: number[] = [];
    const out = new Int16Array(2 * 41).fill(-1);
    const rows = new RowsInTurn(2, 41, out, (row) => {
      made.push(row);
      out.fill(row, 2 * row, 2 * row + 2);
    });
    rows.work(0);
    expect(made).toEqual([0, 16, 32]);
    expect([...out]).toEqual(Array.from({ length: 82 }, (_, n) => 16 * Math.floor(n / 32)));
    rows.work(Infinity);
    expect(rows.finished).toBe(true);
    expect([...made].sort((a, b) => a - b)).toEqual(Array.from({ length: 41 }, (_, n) => n));
    expect([...out]).toEqual(Array.from({ length: 82 }, (_, n) => n >> 1));
  });
});

describe("oblique planes", () => {
  it("show what scipy interpolates, and the labels under their pixels", () => {
    const labels = inflate(vectors.labels_gz);
    const area = shape[1] * shape[2];
    for (const { frame, centre, raster, values, labels_gz: wanted } of vectors.obliques) {
      const out = reslice({ frame, centre, raster, slab: null });
      for (let p = 0; p < out.length; p++) expect(Math.abs(out[p]! - values[p]!)).toBeLessThanOrEqual(0.51);
      const marks = cutLabels(
        (z, y, x) => labels[z * area + y * shape[2] + x]!,
        shape,
        cutOf(frame, centre, spacing, raster),
      );
      expect([...marks]).toEqual([...inflate(wanted)]);
    }
  });

  it("show what a stroke would take, and only the part of the plane that it reaches", () => {
    const [nz, ny, nx] = shape;
    const isMiddle = (n: number, size: number) => 4 * n > size && 4 * n < 3 * size;
    const taken = inflate(vectors.labels_gz).map((label, at) =>
      Number(
        label === 1 &&
          isMiddle(at % nx, nx) &&
          isMiddle(Math.floor(at / nx) % ny, ny) &&
          isMiddle(Math.floor(at / nx / ny), nz),
      ),
    );
    const runs = new RunBuilder();
    taken.forEach((is, at) => runs.push(at, 1, 0, is));
    for (const { frame, centre, raster } of vectors.obliques) {
      const cut = cutOf(frame, centre, spacing, raster);
      const patch = patchesOf(runs.build(), shape, [{ plane: "coronal", index: 7, cut }])[0]!;
      expect([patch.plane, patch.index, patch.data.length < raster.width * raster.height]).toEqual([
        "coronal",
        7,
        true,
      ]);
      const whole = new Uint8Array(raster.width * raster.height);
      for (let row = 0; row < patch.height; row++)
        whole.set(
          patch.data.subarray(row * patch.width, (row + 1) * patch.width),
          (patch.y + row) * raster.width + patch.x,
        );
      expect(whole).toEqual(cutLabels((z, y, x) => taken[(z * ny + y) * nx + x]!, shape, cut));
      expect(whole).toContain(1);
    }
    const elsewhere = cutOf(vectors.obliques[0]!.frame, [500, 500, 500], spacing, vectors.obliques[0]!.raster);
    expect(patchesOf(runs.build(), shape, [{ plane: "coronal", index: 7, cut: elsewhere }])).toEqual([]);
  });

  it("show one value of the way, or none where one is missing", () => {
    const way = [-800, -40, 60];
    expect((["mip", "minip", "average"] as const).map((kind) => seenThrough(kind, way))).toEqual([60, -800, -260]);
    expect(seenThrough("mip", [...way, null])).toBe(null);
  });

  it("join planes to a slab", () => {
    const { frame, centre, raster } = vectors.obliques[1]!;
    const slab = (kind: SlabKind) => reslice({ frame, centre, raster, slab: { kind, mm: 3 } });
    const [low, mean, high] = [slab("minip"), slab("average"), slab("mip")];
    for (let p = 0; p < low.length; p++) {
      expect(low[p]).toBeLessThanOrEqual(mean[p]!);
      expect(mean[p]).toBeLessThanOrEqual(high[p]!);
    }
    expect(high.some((value, p) => value > low[p]!)).toBe(true);
  });

  it("stand in a pane so that screen and grid agree", () => {
    const pane = new PaneGeometry("axial", grid);
    pane.resize(400, 300);
    const frame = turnedFrame(pane.straight, [0, 1, 0], 0.4);
    const centre: Vector = [6.2, 5.4, 4.1];
    pane.lean(frame, centre);
    pane.zoomAt(2, 130, 90);
    pane.panBy(12, -7);
    const at = pane.toGrid(77, 203, 0);
    const [x, y] = pane.toScreen(at);
    expect(x).toBeCloseTo(77, 6);
    expect(y).toBeCloseTo(203, 6);
    expect(pane.offPlane(at, 0)).toBeCloseTo(0, 6);
    expect(pane.offPlane(centre, 0)).toBeCloseTo(0, 6);
    // The raster's affine leads to the same place: pixel (a, b) of the plane.
    const { a0, b0, mm } = rasterOf(frame, centre, shape, spacing);
    const place = (a: number, b: number) =>
      perAxis((n) => centre[n] + (frame.right[n] * (a0 + a * mm) + frame.down[n] * (b0 + b * mm)) / spacing[n]);
    const [p, q, r, s, e, f] = pane.affine();
    const [sx, sy] = pane.toScreen(place(3, 8));
    expect(p * 3 + r * 8 + e).toBeCloseTo(sx, 6);
    expect(q * 3 + s * 8 + f).toBeCloseTo(sy, 6);
  });

  it("take a box that holds what was dragged, and show where they cut it", () => {
    const pane = new PaneGeometry("axial", grid);
    pane.resize(400, 300);
    const [from, to] = [
      [150, 120],
      [230, 170],
    ] as const;
    for (const angle of [0, 0.5]) {
      if (angle) pane.lean(turnedFrame(pane.straight, [0, 1, 0], angle), [6.2, 5.4, 4.1]);
      const index = angle ? -1 : 4;
      const box = boxBetween(pane, from, to, index);
      for (const [x, y] of [from, to, [from[0], to[1]], [to[0], from[1]]]) {
        const [i, j, k] = pane.toGrid(x, y, index);
        const inside = i >= box.x0 && i <= box.x1 && j >= box.y0 && j <= box.y1 && k >= box.z0 && k <= box.z1;
        expect(inside || [i, j, k].some((c, n) => c < 0 || c > pane.size[n]!)).toBe(true);
      }
      const outline = outlineOf(pane, box, index);
      expect(outline.length).toBeGreaterThanOrEqual(angle ? 3 : 4);
      for (const [x, y] of outline) expect(pane.offPlane(pane.toGrid(x, y, index), index)).toBeCloseTo(0, 6);
      // The rectangle lies within the outline where the volume does not end before it.
      const [xs, ys] = [outline.map((p) => p[0]), outline.map((p) => p[1])];
      if (!angle) {
        expect(outline).toHaveLength(4);
        expect(Math.min(...xs)).toBeLessThanOrEqual(from[0]);
        expect(Math.max(...ys)).toBeGreaterThanOrEqual(to[1]);
      }
    }
    expect(outlineOf(new PaneGeometry("axial", grid), { x0: 0, x1: 2, y0: 0, y1: 2, z0: 0, z1: 2 }, 5)).toEqual([]);
  });

  it("name the sides of the body", () => {
    expect(lettersOf([1, 0, 0], grid.lpsFromIjk)).toBe("L");
    expect(lettersOf([-0.8, 0, 0.6], grid.lpsFromIjk)).toBe("RS");
  });
});

describe("figures of a region", () => {
  it("are those of numpy", () => {
    for (const {
      plane,
      index,
      kind,
      box: [u0, v0, u1, v1],
      voxels,
      facts,
    } of vectors.regions) {
      const found = regionFacts(hu, shape, plane, index, kind, { u0, v0, u1, v1 }, 0.5);
      expect(found.voxels).toBe(voxels);
      expect(found.areaMm2).toBeCloseTo(voxels * 0.5, 9);
      [found.mean, found.sd, found.min, found.max].forEach((value, n) => {
        if (facts[n] === null) expect(value).toBeNull();
        else expect(value).toBeCloseTo(facts[n]!, 6);
      });
    }
  });
});

describe("windows of an X-ray", () => {
  it("come from the range of its values and reach beyond 32 767", () => {
    const [whole] = presetsOf({ modality: "DX", hu_range: [100, 60_100] });
    expect([whole.level, whole.width]).toEqual([30_100, 60_000]);
    const table = greyTable(whole, 32_768);
    const greyOf = (value: number) => table[value - 32_768 + 32_768]! & 255;
    expect([greyOf(100), greyOf(30_100), greyOf(60_100)]).toEqual([0, 128, 255]);
  });
});
