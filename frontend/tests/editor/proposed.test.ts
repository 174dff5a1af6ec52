/** The model's lesions: what became of each, and the strokes that accept, drop and regrow them. */

import "fake-indexeddb/auto";
import { afterEach, describe, expect, test } from "vitest";
import { type Accepted, AcceptedLesions } from "../../src/editor/accepted";
import { ballRuns, writableByPaint } from "../../src/editor/brushes";
import { Labelmap } from "../../src/editor/labelmap";
import { gzip, layOut } from "../../src/editor/message";
import {
  ERASED,
  type Fate,
  type Ijk,
  type ProposedLesion,
  type Stroke,
  type Tool,
  type Zyx,
} from "../../src/editor/types";
import { Browser, Desk, SPACING, same } from "./desk";
import { Server } from "./server";
import { readVectors } from "./vectors";

const SHAPE: Zyx = [24, 60, 70];
const BALLS: readonly (readonly [Ijk, number, number])[] = [
  [[15, 15, 10], 8, 1],
  [[45, 20, 12], 6, 1],
  [[30, 45, 12], 5, 2],
];
const FIRST = BALLS[0]![0],
  SECOND = BALLS[1]![0],
  THIRD = BALLS[2]![0];
const GROW: Extract<Tool, { tool: "grow" }> = { tool: "grow", segment: 1, radiusMm: 15, overwrite: false, locked: [] };

const open: Desk[] = [];
afterEach(async () => {
  for (const desk of open.splice(0)) await desk.session.close();
});

function proposal(): Labelmap {
  const labels = new Labelmap(SHAPE);
  const input = { shape: SHAPE, spacing: SPACING, labels: labels.data, hu: new Int16Array(0) };
  for (const [[i, j, k], mm, value] of BALLS)
    labels.apply(ballRuns(input, [k, j, i], mm, null, writableByPaint(value, true, []), value, null), new Set());
  return labels;
}

const at = ([i, j, k]: Ijk): number => (k * SHAPE[1] + j) * SHAPE[2] + i;

/** A tab on a scan whose mask began as the proposal: lung, and opacities a little larger than the balls. */
async function sit(server: Server, browser = new Browser()): Promise<Desk> {
  const desk = new Desk(server, browser);
  open.push(desk);
  await desk.session.open();
  const labels = proposal();
  await desk.session.putOverlay(
    "prediction",
    await gzip(layOut("findings", SHAPE, labels.payloads(labels.occupiedChunks()), [])),
  );
  const hu = new Int16Array(SHAPE[0] * SHAPE[1] * SHAPE[2]).fill(-860);
  for (let k = 0; k < SHAPE[0]; k++)
    for (let j = 0; j < SHAPE[1]; j++)
      for (let i = 0; i < SHAPE[2]; i++)
        if (BALLS.some(([c, mm]) => Math.hypot(i - c[0], j - c[1], 2 * (k - c[2])) <= mm + 1)) hu[at([i, j, k])] = -100;
  desk.session.putSlices(0, hu);
  return desk;
}

function serverOf(): Server {
  const server = new Server(SHAPE);
  server.foreign((labels) => labels.set(proposal().data));
  return server;
}

const fates = (desk: Desk): Fate[] => desk.session.proposed("prediction", null).map(({ fate }) => fate);
const accept = (desk: Desk, ijk: Ijk) => desk.session.apply({ op: "accept", overlay: "prediction", at: ijk });
const drop = (desk: Desk, ijk: Ijk, locked: number[] = []) =>
  desk.session.apply({ op: "drop", overlay: "prediction", at: ijk, locked });
const regrow = (desk: Desk, ijk: Ijk) =>
  desk.session.apply({ op: "regrow", overlay: "prediction", at: ijk, locked: [], tool: GROW });
const count = (labels: Uint8Array, value: number): number => labels.reduce((sum, n) => sum + Number(n === value), 0);

describe("fates of proposed lesions", () => {
  test("are told of the largest first, with place, size and how sure the model was", async () => {
    const desk = await sit(serverOf());
    const [first, second, third] = desk.session.proposed("prediction", null) as [
      ProposedLesion,
      ProposedLesion,
      ProposedLesion,
    ];
    expect([first.ijk, second.ijk, third.ijk]).toEqual([FIRST, SECOND, THIRD]);
    expect([first.segment, third.segment]).toEqual([1, 2]);
    expect(first.ml).toBeCloseTo((first.voxels * 2) / 1000, 9);
    expect(first.confidence).toBeNull();
    // Blocks of 2 × 10 × 10 voxels, as sure as their column is far to the right.
    const values = Uint8Array.from({ length: 12 * 6 * 7 }, (_, n) => 20 * (n % 7));
    desk.session.putProbability(values, [12, 6, 7], [2, 10, 10]);
    const sure = desk.session.proposed("prediction", null).map(({ confidence }) => confidence!);
    expect(sure[0]).toBeGreaterThan(0.05);
    expect(sure[1]).toBeGreaterThan(sure[0]!);
    expect(Math.max(...sure)).toBeLessThan(1);
    expect(desk.session.proposed("nothing", null)).toEqual([]);
  });

  test("accept changes no voxel, one undo takes it back, and a reload and another browser know", async () => {
    const server = serverOf(),
      browser = new Browser();
    let desk = await sit(server, browser);
    const before = desk.labels;
    expect(await accept(desk, FIRST)).toEqual({ added: 0, removed: 0 });
    await accept(desk, SECOND);
    expect(fates(desk)).toEqual(["accepted", "accepted", "proposed"]);
    expect(desk.session.saveState().kind).not.toBe("saved");
    await desk.session.undo();
    expect(fates(desk)).toEqual(["accepted", "proposed", "proposed"]);
    // The tab dies before the server has heard of it.
    await desk.crash();
    desk = await sit(server, browser);
    expect(fates(desk)).toEqual(["accepted", "proposed", "proposed"]);
    await desk.session.redo();
    await desk.session.flush();
    const elsewhere = await sit(server);
    expect(fates(elsewhere)).toEqual(["accepted", "accepted", "proposed"]);
    expect(same(elsewhere.labels, before)).toBe(true);
    expect(server.strokes.map(({ tool, segment }) => [tool, segment])).toEqual([
      ["accept", 1],
      ["accept", 1],
      ["undo", 1],
      ["redo", 1],
    ]);
  });

  test("two browsers that decide at once keep what both decided", async () => {
    const server = serverOf();
    const [one, two] = [await sit(server), await sit(server)];
    await accept(one, FIRST);
    await one.session.flush();
    await accept(two, SECOND);
    await drop(two, THIRD);
    await two.session.flush();
    expect(fates(two)).toEqual(["accepted", "accepted", "dropped"]);
    expect(fates(await sit(server))).toEqual(["accepted", "accepted", "dropped"]);
  });

  test("drop takes the lesion and what was added to it, as one entry; growing does not bring it back", async () => {
    const desk = await sit(serverOf());
    await desk.sphere(1, 4, [15, 26, 10]); // joined to the first
    expect(fates(desk)).toEqual(["changed", "proposed", "proposed"]);
    const before = desk.labels,
      depth = (await desk.session.redo()).undoDepth;
    await drop(desk, FIRST);
    expect(fates(desk)).toEqual(["dropped", "proposed", "proposed"]);
    expect(count(desk.labels, 1)).toBe(desk.session.proposed("prediction", null)[1]!.voxels);
    expect(desk.labels[at(FIRST)]).toBe(ERASED);
    await desk.stroke(GROW, FIRST);
    expect(fates(desk)[0]).toBe("dropped");
    expect((await desk.session.undo()).undoDepth).toBe(depth);
    expect(same(desk.labels, before)).toBe(true);
  });

  test("of two that have run together only the dropped one goes; a locked one stays", async () => {
    const desk = await sit(serverOf());
    await desk.sphere(1, 3, [23, 16, 10], [27, 17, 11], [31, 18, 12], [35, 19, 12], [40, 20, 12]);
    expect(fates(desk)).toEqual(["changed", "changed", "proposed"]);
    await drop(desk, SECOND);
    expect(fates(desk)).toEqual(["changed", "dropped", "proposed"]);
    expect(await drop(desk, THIRD, [2])).toEqual({ added: 0, removed: 0 });
    expect(fates(desk)[2]).toBe("proposed");
  });

  test("regrow takes what the brush takes there, in one entry, and counts as accepted", async () => {
    const desk = await sit(serverOf());
    const before = desk.labels;
    const { added, removed, refusal } = await regrow(desk, SECOND);
    expect(refusal).toBeUndefined();
    expect(added).toBeGreaterThan(removed);
    expect(fates(desk)[1]).toBe("accepted");
    // The opacity is a shell of 1 mm larger than what the model marked.
    const grown = count(desk.labels, 1) - desk.session.proposed("prediction", null)[0]!.voxels;
    expect(grown / desk.session.proposed("prediction", null)[1]!.voxels).toBeGreaterThan(1.2);
    await desk.session.undo();
    expect(same(desk.labels, before)).toBe(true);
    expect(fates(desk)[1]).toBe("proposed");
  });

  test("regrow of what looks like lung changes nothing and says why", async () => {
    const desk = await sit(serverOf());
    desk.session.putSlices(0, new Int16Array(SHAPE[0] * SHAPE[1] * SHAPE[2]).fill(-860));
    const before = desk.labels;
    expect(await regrow(desk, THIRD)).toEqual({ added: 0, removed: 0, refusal: "normal_lung" });
    expect(same(desk.labels, before)).toBe(true);
    expect(fates(desk)[2]).toBe("proposed");
  });
});

describe("strokes say what is accepted, as the server reads them", () => {
  const { cases } = readVectors<{
    cases: { name: string; before: Accepted[]; strokes: Stroke[]; after: Accepted[] }[];
  }>("accepted.json");
  test.each(cases)("$name", ({ before, strokes, after }) => {
    const found = new AcceptedLesions();
    found.load(before);
    found.note(strokes);
    expect(found.list()).toEqual(after);
  });
});
