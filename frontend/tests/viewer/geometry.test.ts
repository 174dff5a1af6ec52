import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Plane, perAxis } from "../../src/editor/types";
import { distanceMm, type GridGeometry, middleOf } from "../../src/viewer/geometry/grid";
import { layoutOf } from "../../src/viewer/geometry/layout";
import { PaneGeometry } from "../../src/viewer/geometry/pane";

const PLANES: readonly Plane[] = ["axial", "coronal", "sagittal"];

/** A grid whose i, j, k run along patient axes (0 L, 1 P, 2 S) with signs. */
function grid(axes: readonly number[] = [0, 1, 2], signs: readonly number[] = [1, 1, 1]): GridGeometry {
  const spacing = [0.7, 0.8, 2.5];
  const lps = perAxis((row) => [...perAxis((n) => (axes[n] === row ? signs[n]! * spacing[n]! : 0)), 5] as const);
  return { shapeZyx: [30, 50, 40], spacingMmZyx: [2.5, 0.8, 0.7], lpsFromIjk: lps };
}

describe("layout of the planes", () => {
  it("stands as a radiologist has it", () => {
    expect(layoutOf("axial", grid())).toMatchObject({
      name: "Axial",
      flipRight: false,
      flipDown: false,
      letters: { left: "R", right: "L", top: "A", bottom: "P" },
    });
    expect(layoutOf("coronal", grid())).toMatchObject({
      name: "Coronal",
      flipRight: false,
      flipDown: true,
      letters: { left: "R", right: "L", top: "S", bottom: "I" },
    });
    expect(layoutOf("sagittal", grid())).toMatchObject({
      name: "Sagittal",
      flipRight: false,
      flipDown: true,
      letters: { left: "A", right: "P", top: "S", bottom: "I" },
    });
  });

  it("turns what was stored the other way round", () => {
    expect(layoutOf("axial", grid([0, 1, 2], [-1, -1, 1]))).toMatchObject({
      flipRight: true,
      flipDown: true,
      letters: { left: "R", right: "L", top: "A", bottom: "P" },
    });
    expect(layoutOf("coronal", grid([0, 1, 2], [1, 1, -1]))).toMatchObject({
      flipDown: false,
      letters: { top: "S", bottom: "I" },
    });
  });

  it("names the planes of a coronal series by the patient", () => {
    const coronal = grid([0, 2, 1], [1, -1, 1]);
    expect(PLANES.map((plane) => layoutOf(plane, coronal).name)).toEqual(["Coronal", "Axial", "Sagittal"]);
    expect(layoutOf("coronal", coronal)).toMatchObject({ right: 0, down: 2, letters: { right: "L", bottom: "P" } });
  });
});

describe("voxel to screen and back", () => {
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  it("is the same voxel, however it lies, is zoomed and moved", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...orders),
        fc.tuple(...[0, 1, 2].map(() => fc.constantFrom(-1, 1))),
        fc.constantFrom(...PLANES),
        fc.tuple(fc.nat(39), fc.nat(49), fc.nat(29)),
        fc.double({ min: 0.5, max: 8, noNaN: true }),
        fc.integer({ min: -90, max: 90 }),
        (axes, signs, plane, ijk, zoom, pan) => {
          const pane = new PaneGeometry(plane, grid(axes, signs));
          pane.resize(480, 360);
          pane.zoomAt(zoom, 100, 120);
          pane.panBy(pan, -pan);
          const middle = middleOf(ijk);
          const [x, y] = pane.toScreen(middle);
          expect(pane.voxelAt(x, y, ijk[pane.layout.across])).toEqual(ijk);
          const [a, b, c, d, e, f] = pane.affine();
          const slice =
            plane === "axial"
              ? [middle[0], middle[1]]
              : plane === "coronal"
                ? [middle[0], middle[2]]
                : [middle[1], middle[2]];
          expect(a * slice[0]! + c * slice[1]! + e).toBeCloseTo(x, 6);
          expect(b * slice[0]! + d * slice[1]! + f).toBeCloseTo(y, 6);
        },
      ),
    );
  });

  it("keeps millimetres the same in both directions and the point under the pointer while zooming", () => {
    const pane = new PaneGeometry("coronal", grid());
    pane.resize(500, 400);
    const [x0, y0] = pane.toScreen([0, 0, 0]);
    const [x1, y1] = pane.toScreen([10, 0, 10]);
    expect(Math.abs(x1 - x0) / 7).toBeCloseTo(Math.abs(y1 - y0) / 25, 9);
    const before = pane.toGrid(123, 77, 4);
    pane.zoomAt(3, 123, 77);
    pane.toGrid(123, 77, 4).forEach((v, n) => expect(v).toBeCloseTo(before[n]!, 9));
  });

  it("measures in millimetres", () => expect(distanceMm(grid(), [0, 0, 0], [10, 0, 4])).toBeCloseTo(Math.hypot(7, 10)));
});
