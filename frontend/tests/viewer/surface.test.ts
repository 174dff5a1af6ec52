import { describe, expect, it } from "vitest";
import { Labelmap } from "../../src/editor/labelmap";
import { coarseOf } from "../../src/editor/coarse";
import { gridOf, SurfaceModel } from "../../src/viewer/surface/model";
import { Canvas3D, screenPointOf, pointAt, type Body } from "../../src/viewer/surface/raster";
import { perAxis } from "../../src/editor/types";
import { cross, dot } from "../../src/viewer/geometry/oblique";

const SHAPE = [20, 50, 50] as const;
const GEOMETRY = {
  shapeZyx: SHAPE,
  spacingMmZyx: [2, 1, 1] as const,
  lpsFromIjk: [
    [1, 0, 0, 5],
    [0, 1, 0, -3],
    [0, 0, 2, 9],
  ],
} as const;
const RADIUS = 12;

/** A ball of 12 mm in the middle as segment 2. */
function ball(): Labelmap {
  const map = new Labelmap(SHAPE);
  for (let z = 0; z < 20; z++)
    for (let y = 0; y < 50; y++)
      for (let x = 0; x < 50; x++) {
        if (Math.hypot((z - 9.5) * 2, y - 24.5, x - 24.5) <= RADIUS) map.data[map.indexOf(z, y, x)] = 2;
      }
  map.occupied.fill(1);
  return map;
}

function modelOf(labels: Labelmap, mm = 1.4): SurfaceModel {
  const model = new SurfaceModel(gridOf(GEOMETRY, mm));
  model.put(0, model.grid.size[0], coarseOf(labels, model.grid.step, 0, model.grid.size[0]));
  return model;
}

/**
 * Every edge of a closed surface belongs to two triangles, in opposite directions. Vertices of bricks are told apart by
 * place.
 */
function openEdges(bodies: readonly (readonly [number, Body])[]): number {
  const edges = new Map<string, number>();
  for (const [, { points, triangles }] of bodies) {
    const name = (n: number) => [0, 1, 2].map((axis) => points[3 * n + axis]!.toFixed(3)).join();
    for (let n = 0; n < triangles.length; n += 3)
      for (const [a, b] of [
        [0, 1],
        [1, 2],
        [2, 0],
      ] as const) {
        const [p, q] = [name(triangles[n + a]!), name(triangles[n + b]!)];
        edges.set(`${p}|${q}`, (edges.get(`${p}|${q}`) ?? 0) + 1);
        edges.set(`${q}|${p}`, (edges.get(`${q}|${p}`) ?? 0) - 1);
      }
  }
  return [...edges.values()].filter((n) => n !== 0).length;
}

describe("fill of blocks", () => {
  it("counts what each block has, those at the edge by their own size", () => {
    const map = new Labelmap([3, 5, 5]);
    map.data.fill(1, 0, 25);
    map.data[74] = 3;
    map.occupied.fill(1);
    const fields = coarseOf(map, [2, 2, 2], 0, 2);
    expect(fields.map(({ segment, layer }) => [segment, layer])).toEqual([
      [1, 0],
      [3, 1],
    ]);
    expect([...fields[0]!.data]).toEqual([128, 128, 128, 128, 128, 128, 128, 128, 128]);
    expect([...fields[1]!.data]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 255]);
    expect(coarseOf(map, [2, 2, 2], 1, 2).map(({ segment }) => segment)).toEqual([3]);
  });
});

describe("surface of the mask", () => {
  it("is closed over its bricks, lies on the ball and looks outward", () => {
    const bodies = modelOf(ball()).bodies();
    expect(bodies.length).toBeGreaterThan(1);
    expect(openEdges(bodies)).toBe(0);
    let inward = 0,
      count = 0;
    for (const [segment, { points, normals, triangles }] of bodies) {
      expect(segment).toBe(2);
      for (let n = 0; n < points.length; n += 3) {
        const length = Math.hypot(points[n]!, points[n + 1]!, points[n + 2]!);
        expect(Math.abs(length - RADIUS)).toBeLessThan(1.6);
        const along =
          (points[n]! * normals[n]! + points[n + 1]! * normals[n + 1]! + points[n + 2]! * normals[n + 2]!) / length;
        count++;
        if (along < 0.8) inward++;
      }
      for (let n = 0; n < triangles.length; n += 3) {
        const [a, b, c] = perAxis((k) => perAxis((axis) => points[3 * triangles[n + k]! + axis]!));
        const [u, v] = [perAxis((k) => b[k] - a[k]), perAxis((k) => c[k] - a[k])];
        const face = cross(u, v);
        expect(dot(face, a)).toBeGreaterThan(-1e-6);
      }
    }
    expect(inward / count).toBeLessThan(0.02);
  });

  it("stands when what it was made of has gone, and is made anew from the whole", () => {
    const model = modelOf(ball());
    const before = model.bodies();
    model.keepBodiesOnly();
    expect(model.bodies()).toEqual(before);
    model.put(0, model.grid.size[0], coarseOf(ball(), model.grid.step, 0, model.grid.size[0]));
    expect(model.bodies()).toEqual(before);
  });

  it("after a stroke is what it would be from the start", () => {
    const labels = ball();
    const model = modelOf(labels);
    model.bodies();
    for (let z = 12; z < 16; z++) for (let x = 30; x < 40; x++) labels.data[labels.indexOf(z, 25, x)] = 1;
    const { step } = model.grid;
    model.put(
      Math.floor(12 / step[0]),
      Math.ceil(16 / step[0]),
      coarseOf(labels, step, Math.floor(12 / step[0]), Math.ceil(16 / step[0])),
    );
    const sums = (bodies: readonly (readonly [number, Body])[]) =>
      bodies
        .map(([segment, { points }]) => `${segment}:${points.length}:${points.reduce((a, b) => a + b, 0).toFixed(2)}`)
        .sort();
    expect(sums(model.bodies())).toEqual(sums(modelOf(labels).bodies()));
  });

  it("keeps a nodule of 3 mm, and is empty when nothing is left", () => {
    const map = new Labelmap(SHAPE);
    for (const [z, y, x] of [
      [9, 20, 20],
      [9, 20, 21],
      [9, 21, 20],
      [9, 21, 21],
      [10, 20, 20],
      [10, 20, 21],
      [10, 21, 20],
      [10, 21, 21],
      [9, 20, 22],
      [9, 21, 22],
      [10, 20, 22],
      [10, 21, 22],
      [9, 22, 20],
      [9, 22, 21],
      [10, 22, 20],
      [10, 22, 21],
    ] as const)
      map.data[map.indexOf(z, y, x)] = 1;
    map.occupied.fill(1);
    const model = modelOf(map);
    expect(model.bodies()).toHaveLength(1);
    model.put(0, model.grid.size[0], []);
    expect(model.bodies()).toHaveLength(0);
  });
});

describe("drawing it", () => {
  it("shows the ball round in the middle, and picks the point that is seen", () => {
    const size = 80;
    const screen = new Canvas3D(size, size, new ArrayBuffer(size * size * 4));
    screen.clear();
    const pose = { turn: 0.4, tilt: 0.3, pxPerMm: 2 };
    for (const [, body] of modelOf(ball()).bodies()) screen.solid(body, pose, [255, 0, 0]);
    screen.finish();
    const lit = screen.colour.reduce((n, word) => n + (word !== 0xff000000 ? 1 : 0), 0);
    expect(Math.abs(lit - Math.PI * (RADIUS * 2) ** 2)).toBeLessThan(0.12 * lit);
    const point = pointAt(46, 35, screen.depth[35 * size + 46]!, pose, size, size);
    expect(Math.abs(Math.hypot(...point) - RADIUS)).toBeLessThan(1.6);
    const [x, y] = screenPointOf(point, pose, size, size);
    expect([x, y].map(Math.round)).toEqual([46, 35]);
  });

  it("leaves nothing for the collector: no number of a pixel or a vertex lies on the heap", async () => {
    const size = 300;
    const screen = new Canvas3D(size, size, new ArrayBuffer(size * size * 4));
    const bodies = modelOf(ball(), 1).bodies();
    const draw = (times: number) => {
      for (let n = 0; n < times; n++) {
        screen.clear();
        for (const [, body] of bodies) {
          screen.solid(body, { turn: n / 9, tilt: 0.2, pxPerMm: 9 }, [255, 120, 0]);
          screen.shell(body, { turn: n / 7, tilt: 0.2, pxPerMm: 9 });
        }
        screen.finish();
      }
    };
    draw(30); // until it is compiled
    let collections = 0;
    const observer = new PerformanceObserver((list) => (collections += list.getEntries().length));
    observer.observe({ entryTypes: ["gc"] });
    draw(60);
    await new Promise((resolve) => setTimeout(resolve, 50));
    observer.disconnect();
    expect(collections).toBeLessThan(8);
  });
});
