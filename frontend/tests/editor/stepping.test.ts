/** Stepping the last stroke: more or less along the bounds at which it really changes. */

import "fake-indexeddb/auto";
import { afterEach, describe, expect, test } from "vitest";
import { growStroke, writableByGrowing } from "../../src/editor/brushes";
import { ladderOf } from "../../src/editor/ladder";
import { seedValue, smoothedBox, withinBounds } from "../../src/editor/smoothing";
import type { Runs } from "../../src/editor/runs";
import { BitFrame, Scratch } from "../../src/editor/bits";
import { GROW_DEFAULTS, type Ijk, type StepResult, type Tool, type Zyx } from "../../src/editor/types";
import { Browser, Desk, SPACING, same } from "./desk";
import { Server } from "./server";

const SHAPE: Zyx = [30, 70, 80];
const MIDDLE: Ijk = [40, 35, 15];
const GROW: Extract<Tool, { tool: "grow" }> = { tool: "grow", segment: 1, radiusMm: 14, overwrite: false, locked: [] };

const open: Desk[] = [];
afterEach(async () => {
  for (const desk of open.splice(0)) await desk.session.close();
});

/** Rings that get darker outwards, 60 HU a mm of radius, in a box of haze that a low bound runs over into. */
function shells(): Int16Array {
  const hu = new Int16Array(SHAPE[0] * SHAPE[1] * SHAPE[2]).fill(-860);
  for (let k = 0, n = 0; k < SHAPE[0]; k++)
    for (let j = 0; j < SHAPE[1]; j++)
      for (let i = 0; i < SHAPE[2]; i++, n++) {
        const mm = Math.hypot(i - MIDDLE[0], j - MIDDLE[1], 2 * (k - MIDDLE[2]));
        if (mm <= 10) hu[n] = Math.round(-100 - 60 * mm);
        if (Math.abs(i - MIDDLE[0]) >= 9 || Math.abs(j - MIDDLE[1]) >= 9) hu[n] = -700;
      }
  return hu;
}

async function sit(): Promise<Desk> {
  const desk = new Desk(new Server(SHAPE), new Browser());
  open.push(desk);
  await desk.session.open();
  desk.session.putSlices(0, shells());
  return desk;
}

const WRITABLE = writableByGrowing(1, false, []);
const paint = (labels: Uint8Array, runs: Runs): void => {
  for (let n = 0; n < runs.count; n++) labels.fill(runs.after[n]!, runs.start[n], runs.start[n]! + runs.length[n]!);
};
const marked = (desk: Desk): number => desk.session.stats().segments[0]?.voxels ?? 0;
const stepped = (result: StepResult): Extract<StepResult, { kind: "stepped" }> => {
  if (result.kind !== "stepped") throw new Error(result.why);
  return result;
};

describe("a step of the last stroke", () => {
  test("takes more, then less, each a step of its own in the history", async () => {
    const desk = await sit();
    await desk.stroke(GROW, MIDDLE);
    const states = [desk.labels];
    const bounds: number[] = [];
    for (let n = 0; n < 3; n++) {
      const before = marked(desk);
      const { added, removed, lowerHu } = stepped(await desk.session.stepStroke(1));
      expect(added - removed).toBe(marked(desk) - before);
      expect(added).toBeGreaterThanOrEqual(6);
      bounds.push(lowerHu);
      states.push(desk.labels);
    }
    expect(bounds).toEqual(bounds.toSorted((a, b) => b - a));
    for (const state of states.slice(0, -1).reverse()) {
      await desk.session.undo();
      expect(same(desk.labels, state)).toBe(true);
    }
    // Where one stands in the history, from there one steps.
    await desk.session.redo();
    const { removed } = stepped(await desk.session.stepStroke(-1));
    expect(removed).toBeGreaterThan(0);
    expect((await desk.session.undo()).undo?.tool).toBe("step");
    await desk.session.flush();
    expect(same(desk.server.labels, desk.labels)).toBe(true);
    expect(desk.server.strokes[1]).toMatchObject({ tool: "step", params: { lower_hu: bounds[0] } });
  });

  test("is what a stroke with that bound would have taken, over what was there before", async () => {
    const desk = await sit();
    await desk.sphere(2, 3, [44, 35, 15]);
    const before = desk.labels;
    await desk.stroke(GROW, MIDDLE);
    const { lowerHu } = stepped(await desk.session.stepStroke(1));
    const input = { shape: SHAPE, spacing: SPACING, hu: shells(), labels: before, limit: null, backgroundHu: -860 };
    const { runs } = growStroke(input, 1, [15, 35, 40], 14, { lowerHu }, writableByGrowing(1, false, []));
    const wanted = before.slice();
    for (let n = 0; n < runs.count; n++) wanted.fill(1, runs.start[n], runs.start[n]! + runs.length[n]!);
    expect(same(desk.labels, wanted)).toBe(true);
  });

  test("goes through a leak as a step of its own and says so", async () => {
    const desk = await sit();
    await desk.stroke(GROW, MIDDLE);
    const leaps: boolean[] = [];
    let result = await desk.session.stepStroke(1);
    for (; result.kind === "stepped"; result = await desk.session.stepStroke(1)) leaps.push(result.isLeap);
    expect(leaps.filter(Boolean)).toHaveLength(1);
    expect(leaps[0]).toBe(false);
    expect(result).toEqual({ kind: "stays", why: "no-more" });
  });

  test("of a drag shifts all its dabs together, and each goes back by one undo", async () => {
    const desk = await sit();
    await desk.sphere(2, 3, [50, 35, 15]);
    const before = desk.labels;
    const drag: Ijk[] = [MIDDLE, [44, 35, 15], [48, 35, 15]];
    await desk.stroke(GROW, ...drag);
    const states = [desk.labels];
    for (const by of [1, 1, -1] as const) {
      const sizes = marked(desk);
      const { added, removed, shiftHu, dabs } = stepped(await desk.session.stepStroke(by));
      expect(dabs).toBe(3);
      expect(added - removed).toBe(marked(desk) - sizes);
      expect(Math.sign(added - removed)).toBe(by);
      // What the same drag would have taken with each dab's own bound shifted, one dab after the other.
      const wanted = before.slice();
      const input = { shape: SHAPE, spacing: SPACING, hu: shells(), labels: wanted, limit: null, backgroundHu: -860 };
      const asDrawn = before.slice();
      for (const [i, j, k] of drag) {
        const own = growStroke({ ...input, labels: asDrawn }, 1, [k, j, i], 14, {}, WRITABLE);
        paint(asDrawn, own.runs);
        const lowerHu = Math.max(-840, Math.ceil(own.grown.lowerHu!) + shiftHu); // never into all lung
        paint(wanted, growStroke(input, 1, [k, j, i], 14, { lowerHu }, WRITABLE).runs);
      }
      expect(same(desk.labels, wanted)).toBe(true);
      states.push(desk.labels);
    }
    for (const state of states.slice(0, -1).reverse()) {
      await desk.session.undo();
      expect(same(desk.labels, state)).toBe(true);
    }
    await desk.session.redo();
    await desk.session.flush();
    expect(desk.server.strokes.at(-1)).toMatchObject({ tool: "redo" });
    expect(desk.server.strokes.find(({ tool }) => tool === "step")).toMatchObject({ params: { dabs: 3 } });
    expect(same(desk.server.labels, desk.labels)).toBe(true);
  });

  test("of a long drag says a leak of one dab, however much the others take", async () => {
    const desk = await sit();
    // A thick bar of one brightness through everything, and beside its end the rings that run over into the haze.
    const hu = shells();
    for (let k = 0, n = 0; k < SHAPE[0]; k++)
      for (let j = 0; j < SHAPE[1]; j++)
        for (let i = 0; i < SHAPE[2]; i++, n++) {
          if (i < 24) hu[n] = i < 22 ? -100 : -860;
          if (i > 62 || j < 14 || j > 56) hu[n] = i < 22 ? -100 : -860;
        }
    desk.session.putSlices(0, hu);
    await desk.stroke({ ...GROW, radiusMm: 16 }, [6, 20, 15], [6, 35, 15], [6, 50, 15], [16, 44, 15], MIDDLE);
    const told: [part: number, isLeap: boolean][] = [];
    for (;;) {
      const sizes = marked(desk);
      const result = await desk.session.stepStroke(1);
      if (result.kind === "stays") break;
      told.push([(result.added - result.removed) / sizes, result.isLeap]);
    }
    expect(told.filter(([, isLeap]) => isLeap).length).toBeGreaterThanOrEqual(1);
    // Nothing that brings the haze, thousands of voxels at once, goes without the word.
    const haze = told.filter(([part]) => part > 0.15);
    expect(haze.length).toBeGreaterThanOrEqual(1);
    expect(haze.every(([, isLeap]) => isLeap)).toBe(true);
  });

  test("is none after another stroke, a drag that took nothing, or nothing", async () => {
    const desk = await sit();
    const none = { kind: "stays", why: "no-stroke" };
    expect(await desk.session.stepStroke(1)).toEqual(none);
    await desk.stroke(GROW, [40, 35, 2], [44, 35, 2]);
    expect(await desk.session.stepStroke(1)).toEqual(none);
    await desk.stroke(GROW, MIDDLE);
    await desk.sphere(2, 3, [10, 10, 5]);
    expect(await desk.session.stepStroke(-1)).toEqual(none);
    await desk.session.undo();
    await desk.session.undo();
    expect(await desk.session.stepStroke(-1)).toEqual(none);
  });

  test("stays under the ceiling, and stops where nothing less is left", async () => {
    const desk = await sit();
    await desk.stroke(GROW, MIDDLE);
    const ceiling = Math.round(1.15 * marked(desk));
    await desk.session.undo();
    await desk.stroke({ ...GROW, params: { ceiling } }, MIDDLE);
    let result: StepResult = await desk.session.stepStroke(1);
    while (result.kind === "stepped") result = await desk.session.stepStroke(1);
    expect(result).toEqual({ kind: "stays", why: "over_ceiling" });
    expect(marked(desk)).toBeLessThanOrEqual(ceiling);
    while ((result = await desk.session.stepStroke(-1)).kind === "stepped") expect(marked(desk)).toBeGreaterThan(0);
    expect(result).toEqual({ kind: "stays", why: "no-less" });
    expect(marked(desk)).toBeGreaterThan(0);
  });
});

describe("the ladder", () => {
  const input = {
    shape: SHAPE,
    spacing: SPACING,
    hu: shells(),
    labels: new Uint8Array(SHAPE[0] * SHAPE[1] * SHAPE[2]),
  };
  const ground = { ...input, limit: null, backgroundHu: -860 };
  const seed: Zyx = [15, 35, 40];

  test("knows the size of the flood at every bound", () => {
    const ladder = ladderOf(ground, [{ seed, seedHu: -120, radiusMm: 14, bound: 0 }], GROW_DEFAULTS);
    for (const lowerHu of [-300, -500, -640, -699, -700, -760]) {
      const plain = { lowerHu, openMm: 0, closeMm: 0, fill: false };
      const { runs } = growStroke(ground, 1, seed, 14, plain, writableByGrowing(1, false, []));
      let size = 0;
      for (let n = 0; n < runs.count; n++) size += runs.length[n]!;
      expect(ladder.sizeAt(lowerHu), `${lowerHu}`).toBe(size);
    }
  });

  test("of several dabs counts a voxel once, at the shift at which the first of them reaches it", () => {
    const dabs = [
      { seed, seedHu: -120, radiusMm: 9, bound: -400 },
      { seed: [15, 35, 46] as Zyx, seedHu: -400, radiusMm: 9, bound: -500 },
    ];
    const ladder = ladderOf(ground, dabs, GROW_DEFAULTS);
    for (const shift of [0, -10, -40, -120, -190, -250]) {
      const labels = new Uint8Array(ground.labels.length);
      for (const { seed: at, radiusMm, bound } of dabs) {
        const plain = { lowerHu: bound + shift, openMm: 0, closeMm: 0, fill: false };
        paint(labels, growStroke(ground, 1, at, radiusMm, plain, WRITABLE).runs);
      }
      expect(ladder.sizeAt(shift), `${shift}`).toBe(labels.reduce((sum, label) => sum + label, 0));
    }
  });

  test.each([
    [true, [15, 35, 40]],
    [false, [15, 35, 40]],
    [true, [0, 0, 79]],
  ] as const)("smooths a box as the brush does, across slices: %s, at %s", (acrossSlices, middle) => {
    const [z, y, x] = middle;
    const box = {
      z0: Math.max(0, z - 3),
      z1: Math.min(SHAPE[0], z + 4),
      y0: Math.max(0, y - 5),
      y1: Math.min(SHAPE[1], y + 6),
      x0: Math.max(0, x - 5),
      x1: Math.min(SHAPE[2], x + 6),
    };
    const values = smoothedBox(input, box, acrossSlices);
    const [nz, ny, nx] = [box.z1 - box.z0, box.y1 - box.y0, box.x1 - box.x0];
    // The brush's own smoothing, asked voxel by voxel: the lower median of one voxel is its value.
    for (let n = 0; n < values.length; n += 7) {
      const row = Math.floor(n / nx);
      const one: Zyx = [box.z0 + Math.floor(row / ny), box.y0 + (row % ny), box.x0 + (n % nx)];
      expect(values[n]).toBe(seedValue(input, box, one, 0.1, acrossSlices));
    }
    const frame = new BitFrame(nz, ny, nx);
    const half = new Int32Array(nz * ny).fill(nx);
    const bits = withinBounds(input, box, half, x, acrossSlices, -64 * 500, 1e9, frame, new Scratch());
    let inside = 0;
    for (let k = 0; k < nz; k++)
      for (let j = 0; j < ny; j++) for (let i = 0; i < nx; i++) inside += Number(frame.has(bits, k, j, i));
    expect(values.reduce((sum, value) => sum + Number(value >= -64 * 500), 0)).toBe(inside);
  });
});
