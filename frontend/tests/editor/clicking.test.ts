import "fake-indexeddb/auto";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { BitVolume } from "../../src/editor/bitvolume";
import type { ClickInput, Probability } from "../../src/editor/clickradius";
import { Proposals, propose } from "../../src/editor/clicking";
import { narrows } from "../../src/editor/narrows";
import { depthInside } from "../../src/editor/operations/distance";
import { gunzip } from "../../src/editor/message";
import { type ClickPrompt, ERASED, type Ijk, type Operation, type Zyx } from "../../src/editor/types";
import { Browser, Desk, SPACING, same } from "./desk";
import { Server } from "./server";
import { bytesOf, readVectors } from "./vectors";

const SHAPE: Zyx = [40, 80, 90];
const MIDDLE: Ijk = [40, 40, 20];
const TAIL: Ijk = [66, 40, 20];
const at = ([i, j, k]: Ijk): number => (k * SHAPE[1] + j) * SHAPE[2] + i;
const belongs = (...points: Ijk[]): ClickPrompt[] => points.map((ijk) => ({ ijk, belongs: true }));
const not = (ijk: Ijk): ClickPrompt => ({ ijk, belongs: false });

/** A ball of 12 mm in lung, and (from its middle to the right edge) a vessel of 2.4 mm. */
function lung(withVessel = true): { hu: Int16Array; truth: Uint8Array } {
  const hu = new Int16Array(SHAPE[0] * SHAPE[1] * SHAPE[2]).fill(-860),
    truth = new Uint8Array(hu.length);
  for (let k = 0; k < SHAPE[0]; k++) {
    for (let j = 0; j < SHAPE[1]; j++) {
      for (let i = 0; i < SHAPE[2]; i++) {
        const across = Math.hypot((k - 20) * SPACING[0], (j - 40) * SPACING[1]);
        if (withVessel && i >= 40 && across <= 2.4) hu[at([i, j, k])] = 40;
        if (Math.hypot(across, (i - 40) * SPACING[2]) <= 12) {
          hu[at([i, j, k])] = 20;
          truth[at([i, j, k])] = 1;
        }
      }
    }
  }
  return { hu, truth };
}

const inputOf = (hu: Int16Array, probability: Probability | null = null): ClickInput => ({
  shape: SHAPE,
  spacing: SPACING,
  hu,
  labels: new Uint8Array(hu.length),
  limit: null,
  backgroundHu: -860,
  probability,
});

function dice(voxels: Uint32Array, truth: Uint8Array): number {
  const both = voxels.reduce((sum, n) => sum + truth[n]!, 0);
  return (2 * both) / (voxels.length + truth.reduce((sum, n) => sum + n, 0));
}

const probabilityOf = (truth: Uint8Array): Probability => ({
  values: truth.map((n) => 230 * n),
  shape: SHAPE,
  step: [1, 1, 1],
});

describe("a proposal", () => {
  const { hu, truth } = lung();

  test("takes a ball from one point, with a vessel or without, near the middle or not", () => {
    for (const picture of [lung(false).hu, hu]) {
      for (const from of [MIDDLE, [38, 42, 21] as Ijk]) {
        const found = propose(inputOf(picture), 1, belongs(from), null, 30);
        expect(found).toMatchObject({ source: "image", refusal: null });
        expect(dice(found.voxels, truth)).toBeGreaterThan(0.9);
      }
    }
  });

  test("stays in the lung limit, and is nothing where a press or a box lies outside", () => {
    const limitTo = (columns: number): BitVolume => {
      const limit = new BitVolume(SHAPE);
      for (let row = 0; row < SHAPE[0] * SHAPE[1]; row++)
        for (let x = 0; x < columns; x++) limit.bits[row * limit.wordsPerRow + (x >>> 5)]! |= 1 << (x & 31);
      return limit;
    };
    const box = { z0: 12, z1: 29, y0: 26, y1: 55, x0: 26, x1: 55 };
    const inLimit = (columns: number): ClickInput => ({ ...inputOf(hu), limit: limitTo(columns) });
    expect(propose(inLimit(20), 1, belongs(MIDDLE), null, 30)).toMatchObject({ refusal: "outside_limit" });
    expect(propose(inLimit(20), 1, belongs(MIDDLE), null, 30).voxels).toHaveLength(0);
    expect(propose(inLimit(20), 1, [], box, 30)).toMatchObject({ refusal: "outside_limit" });
    for (const found of [propose(inLimit(44), 1, belongs(MIDDLE), null, 30), propose(inLimit(44), 1, [], box, 30)]) {
      expect(found.voxels.length).toBeGreaterThan(1000);
      expect(found.voxels.every((n) => n % SHAPE[2] < 44)).toBe(true);
    }
  });

  test("with a memory is the one without, whatever is added, taken back or changed", () => {
    const prompts: ClickPrompt[] = [...belongs(MIDDLE, [38, 42, 21], TAIL), not([60, 40, 20])];
    const lists = fc.shuffledSubarray(prompts);
    fc.assert(
      fc.property(fc.array(lists, { minLength: 2, maxLength: 3 }), (asked) => {
        const memory = new Proposals();
        for (const list of asked)
          expect(memory.propose(inputOf(hu), 1, list, null, 30)).toEqual(propose(inputOf(hu), 1, list, null, 30));
      }),
      { numRuns: 3 },
    );
  });

  test("is found once and kept until what it rests on changes", () => {
    const memory = new Proposals(),
      input = inputOf(hu);
    const first = memory.propose(input, 1, belongs(MIDDLE), null, 30);
    expect(memory.propose(input, 1, belongs(MIDDLE), null, 30)).toBe(first);
    input.labels.fill(ERASED, at([0, 0, 20]), at([0, 0, 21]));
    memory.forget();
    expect(memory.propose(input, 1, belongs(MIDDLE), null, 30)).not.toEqual(first);
  });

  test("asks the model where it is sure, and the image alone where it is not", () => {
    // Far more is bright than the model takes for a finding.
    const bright = hu.slice();
    for (let n = 0; n < bright.length; n++)
      if (Math.abs((n % SHAPE[2]) - 40) <= 25 && Math.abs((Math.floor(n / SHAPE[2]) % SHAPE[1]) - 40) <= 20)
        bright[n] = 20;
    const sure = propose(inputOf(bright, probabilityOf(truth)), 1, belongs(MIDDLE), null, 30);
    const alone = propose(inputOf(bright, probabilityOf(truth.map(() => 0))), 1, belongs(MIDDLE), null, 30);
    expect([sure.source, alone.source]).toEqual(["model", "image"]);
    expect(dice(sure.voxels, truth)).toBeGreaterThan(0.9);
    expect(dice(alone.voxels, truth)).toBeLessThan(0.6);
  });

  test("of a point that does not belong is cut at the narrows", () => {
    const whole = propose(inputOf(hu, probabilityOf(truth.map(() => 1))), 1, belongs(MIDDLE, TAIL), null, 30);
    expect(whole.voxels).toContain(at(TAIL));
    const cut = propose(inputOf(hu), 1, [...belongs(MIDDLE, TAIL), not(TAIL)], null, 30);
    expect(cut.voxels).not.toContain(at(TAIL));
    expect(cut.voxels).toContain(at(MIDDLE));
    expect(dice(cut.voxels, truth)).toBeGreaterThan(0.9);
  });

  test("keeps to its box", () => {
    const box = { z0: 14, z1: 27, y0: 26, y1: 55, x0: 26, x1: 55 };
    const found = propose(inputOf(hu), 1, [], box, 30);
    expect(dice(found.voxels, truth)).toBeGreaterThan(0.9);
    for (const n of found.voxels) expect(n % SHAPE[2]).toBeLessThan(55);
  });

  test("in healthy lung says so", () => {
    expect(propose(inputOf(hu), 1, belongs([10, 10, 5]), null, 30)).toMatchObject({
      refusal: "normal_lung",
      voxels: new Uint32Array(0),
    });
  });

  test("never takes what the reader erased", () => {
    const input = inputOf(hu);
    input.labels.fill(ERASED, at([0, 0, 20]), at([0, 40, 20]));
    for (const n of propose(input, 1, belongs(MIDDLE), null, 30).voxels) expect(input.labels[n]).toBe(0);
  });
});

describe("narrows", () => {
  test("stays within the region, holds a point that belongs, and not the one that does not", () => {
    const shape: Zyx = [5, 9, 11];
    const point = fc.tuple(fc.nat(10), fc.nat(8), fc.nat(4)) as fc.Arbitrary<Ijk>;
    fc.assert(
      fc.property(
        fc.array(fc.nat(5 * 9 * 11 - 1), { minLength: 1, maxLength: 300 }),
        point,
        point,
        (some, kept, other) => {
          const number = ([i, j, k]: Ijk): number => (k * shape[1] + j) * shape[2] + i;
          fc.pre(number(kept) !== number(other));
          const voxels = Uint32Array.from(new Set([...some, number(kept), number(other)])).sort();
          const left = narrows({ shape, spacing: [2, 1, 0.7] }, voxels, [kept], other);
          expect(left).toContain(number(kept));
          expect(left).not.toContain(number(other));
          expect([...left].every((n, m) => voxels.includes(n) && (m === 0 || left[m - 1]! < n))).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("the depth inside equals brute force", () => {
    const shape: Zyx = [4, 5, 6],
      spacing: Zyx = [2.5, 0.8, 0.7];
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 120, maxLength: 120 }), (bits) => {
        fc.pre(bits.includes(false));
        const place = (n: number): number[] => [
          Math.floor(n / 30) * spacing[0],
          (Math.floor(n / 6) % 5) * spacing[1],
          (n % 6) * spacing[2],
        ];
        const got = depthInside(Uint8Array.from(bits, Number), shape, spacing);
        bits.forEach((set, n) => {
          const least = Math.min(
            ...bits.flatMap((other, m) =>
              other ? [] : [Math.hypot(...place(n).map((v, axis) => v - place(m)[axis]!))],
            ),
          );
          expect(got[n]).toBeCloseTo(set ? least : 0, 4);
        });
      }),
      { numRuns: 40 },
    );
  });
});

test("the probability map of the shared vector", async () => {
  const vector = readVectors<{ facts: { shape_zyx: number[] }; message_b64: string; values: number[] }>(
    "probability.json",
  );
  expect([...(await gunzip(bytesOf(vector.message_b64), vector.values.length))]).toEqual(vector.values);
});

describe("as one stroke of the editor", () => {
  const open: Desk[] = [];
  afterEach(async () => {
    for (const desk of open.splice(0)) await desk.session.close();
  });
  const click = (prompts: readonly ClickPrompt[]): Operation => ({
    op: "click",
    useLimit: true,
    segment: 2,
    overwrite: false,
    locked: [],
    prompts,
    box: null,
    tolerance: 30,
    overlay: null,
  });

  async function started(): Promise<Desk> {
    const desk = new Desk(new Server(SHAPE), new Browser());
    open.push(desk);
    await desk.session.open();
    return desk;
  }

  test("proposing changes nothing, accepting is undone and redone whole, and the log knows the points", async () => {
    const desk = await started();
    expect(desk.session.propose(click(belongs(MIDDLE)))).toMatchObject({ refusal: "not_loaded", added: 0 });
    desk.session.putSlices(0, lung().hu);
    desk.session.watch([{ plane: "axial", index: 20 }]);
    const prompts = [...belongs(MIDDLE, TAIL), not(TAIL)];
    const proposed = desk.session.propose(click(prompts));
    expect(proposed.patches[0]!.data.reduce((sum, n) => sum + n, 0)).toBeGreaterThan(400);
    expect(desk.session.stats().segments).toEqual([]);
    const done = await desk.session.apply(click(prompts));
    expect(done.added).toBe(proposed.added);
    const drawn = desk.labels;
    expect((await desk.session.undo()).undoDepth).toBe(0);
    expect(desk.session.stats().segments).toEqual([]);
    await desk.session.redo();
    expect(same(desk.labels, drawn)).toBe(true);
    await desk.session.flush();
    expect(desk.server.strokes[0]).toMatchObject({
      tool: "click",
      segment: 2,
      ijk: MIDDLE,
      added: done.added,
      params: {
        prompts: [
          [...MIDDLE, 1],
          [...TAIL, 1],
          [...TAIL, 0],
        ],
        source: "image",
      },
    });
  });

  test("a map of another grid is refused", async () => {
    const desk = await started();
    expect(() => desk.session.putProbability(new Uint8Array(8), [2, 2, 2], [1, 1, 1])).toThrow("another grid");
  });
});
