import "fake-indexeddb/auto";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Journal, journalOf } from "../../src/editor/journal";
import { gunzip } from "../../src/editor/message";
import type { Ijk, Tool, Zyx } from "../../src/editor/types";
import { Browser, Desk, same } from "./desk";
import { Server, type Weather } from "./server";

const SHAPE: Zyx = [20, 40, 45];
const open: Desk[] = [];
const sit = (server: Server, browser: Browser, autosaveMs = 5, editable = true): Desk => {
  const desk = new Desk(server, browser, autosaveMs, editable);
  open.push(desk);
  return desk;
};
afterEach(async () => {
  for (const desk of open.splice(0)) await desk.session.close();
});

const ijk = fc.tuple(fc.nat(44), fc.nat(39), fc.nat(19)) as fc.Arbitrary<Ijk>;
const tool: fc.Arbitrary<Tool> = fc.oneof(
  fc.record({
    tool: fc.constantFrom("sphere" as const, "circle" as const),
    radiusMm: fc.integer({ min: 1, max: 9 }),
    segment: fc.integer({ min: 1, max: 3 }),
    overwrite: fc.boolean(),
    locked: fc.constantFrom([], [3]),
  }),
  fc.record({
    tool: fc.constant("erase" as const),
    radiusMm: fc.integer({ min: 1, max: 9 }),
    planar: fc.boolean(),
    segments: fc.constantFrom(null, [1]),
    locked: fc.constant([]),
  }),
);
const gesture = fc.record({ tool, at: fc.array(ijk, { minLength: 1, maxLength: 3 }) });

describe("history", () => {
  test("undo all is the start, redo all is the end, over reloads and saves at any time", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(gesture, { minLength: 1, maxLength: 6 }),
        fc.nat(6),
        fc.nat(6),
        async (gestures, reloadAt, backAt) => {
          const server = new Server(SHAPE),
            browser = new Browser();
          server.foreign((labels) => labels.fill(2, 5000, 9000));
          let desk = sit(server, browser, 1);
          await desk.session.open();
          const states = [desk.labels];
          for (const [n, { tool: chosen, at }] of gestures.entries()) {
            await desk.stroke(chosen, ...at);
            if (!same(desk.labels, states.at(-1)!)) states.push(desk.labels);
            if (n === reloadAt) {
              await desk.crash();
              desk = sit(server, browser, 1);
              await desk.session.open();
            }
          }
          const reload = async (): Promise<void> => {
            await desk.crash();
            desk = sit(server, browser, 1);
            await desk.session.open();
          };
          for (let n = states.length - 2; n >= 0; n--) {
            await desk.session.undo();
            expect(same(desk.labels, states[n])).toBe(true);
            if (n === backAt) await reload();
          }
          expect((await desk.session.undo()).undoDepth).toBe(0);
          for (let n = 1; n < states.length; n++) {
            await desk.session.redo();
            expect(same(desk.labels, states[n])).toBe(true);
            if (n === backAt) await reload();
          }
          await desk.session.flush();
          expect(same(server.labels, states.at(-1)!)).toBe(true);
          await desk.session.close();
        },
      ),
      { numRuns: 25 },
    );
  }, 60_000);

  test("a cancelled stroke leaves nothing", async () => {
    const desk = sit(new Server(SHAPE), new Browser());
    await desk.session.open();
    await desk.sphere(1, 5, [20, 20, 10]);
    const before = desk.labels;
    desk.session.beginStroke({ tool: "sphere", segment: 2, radiusMm: 9, overwrite: true, locked: [] });
    desk.session.dab([22, 20, 10]);
    desk.session.cancelStroke();
    expect(same(desk.labels, before)).toBe(true);
    expect((await desk.session.redo()).undoDepth).toBe(1);
  });

  test("statistics follow every step", async () => {
    const desk = sit(new Server(SHAPE), new Browser());
    await desk.session.open();
    await desk.sphere(1, 6, [20, 20, 10], [30, 20, 10]);
    await desk.sphere(2, 4, [20, 20, 10]);
    await desk.stroke({ tool: "erase", radiusMm: 3, planar: false, segments: null, locked: [] }, [30, 20, 10]);
    await desk.session.undo();
    await desk.session.redo();
    const counted = new Map<number, number>();
    for (const label of desk.labels) counted.set(label, (counted.get(label) ?? 0) + 1);
    const stats = desk.session.stats();
    expect(stats.segments.map(({ segment, voxels }) => [segment, voxels])).toEqual([
      [1, counted.get(1)],
      [2, counted.get(2)],
    ]);
    expect(stats.erasedVoxels).toBe(counted.get(255));
    expect(stats.segments[0].ml).toBeCloseTo((counted.get(1)! * 2) / 1000);
  });
});

describe("saving", () => {
  test("strokes reach the server by themselves, each once, only what changed", async () => {
    const server = new Server(SHAPE),
      desk = sit(server, new Browser());
    await desk.session.open();
    await desk.sphere(1, 6, [20, 20, 10]);
    expect(desk.session.saveState()).toMatchObject({ kind: "unsaved", unsent: 1 });
    await desk.until("saved");
    await desk.sphere(1, 2, [3, 3, 2]);
    await desk.session.undo();
    await desk.until("saved");
    expect(same(server.labels, desk.labels)).toBe(true);
    expect(server.strokes.map((stroke) => stroke.tool)).toEqual(["sphere", "sphere", "undo"]);
    expect(server.strokes[2].params).toEqual({ of: server.strokes[1].id });
    expect(desk.states.map((state) => state.kind)).toContain("saving");
  });

  test("save, paint, save: the live mask is never swapped", async () => {
    const server = new Server(SHAPE),
      desk = sit(server, new Browser());
    server.foreign((labels) => labels.fill(3, 0, 50));
    await desk.session.open();
    for (let n = 0; n < 9; n++) {
      await desk.sphere(1 + (n % 2), 4, [5 + 4 * n, 20, 10]);
      const before = desk.labels;
      await desk.session.flush();
      expect(same(desk.labels, before)).toBe(true);
      expect(same(server.labels, before)).toBe(true);
    }
    expect(server.strokes).toHaveLength(9);
  });

  test("whatever the line does, every stroke arrives once", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom<Weather>("fine", "lost", "answer-lost", 503), { minLength: 4, maxLength: 9 }),
        fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
        async (weathers, crashes) => {
          const server = new Server(SHAPE),
            browser = new Browser();
          const queue = [...weathers];
          let desk = sit(server, browser, 0);
          await desk.session.open();
          server.weather = () => queue.shift() ?? "fine";
          for (let n = 0; n < 5; n++) {
            await desk.sphere(1, 3, [5 + 7 * n, 20, 10]);
            await new Promise((resolve) => setTimeout(resolve, 3));
            if (!crashes[n]) continue;
            await desk.crash();
            desk = sit(server, browser, 0);
            server.weather = (method) => (method === "GET" ? "fine" : (queue.shift() ?? "fine"));
            await desk.session.open();
          }
          await vi.waitFor(() => desk.session.flush(), { timeout: 8000 });
          expect(same(server.labels, desk.labels)).toBe(true);
          expect(server.strokes.map((stroke) => stroke.ijk[0])).toEqual([5, 12, 19, 26, 33]);
          await desk.session.close();
        },
      ),
      { numRuns: 20 },
    );
  }, 60_000);

  test("signed out while drawing: strokes stay, and go after the log-in", async () => {
    const server = new Server(SHAPE),
      desk = sit(server, new Browser());
    await desk.session.open();
    server.weather = () => 401;
    await desk.sphere(1, 5, [20, 20, 10]);
    await desk.until("signed-out");
    await desk.sphere(1, 5, [30, 20, 10]);
    expect(desk.session.saveState()).toEqual({ kind: "signed-out", unsent: 2 });
    await expect(desk.session.flush()).rejects.toThrow("signed-out");
    server.weather = () => "fine";
    await desk.session.resume({ "X-CSRFToken": "new" });
    await desk.until("saved");
    expect(same(server.labels, desk.labels)).toBe(true);
  });

  test("a lost lease stops drawing; with a new one the strokes go", async () => {
    const server = new Server(SHAPE),
      desk = sit(server, new Browser());
    await desk.session.open();
    server.weather = (method) => (method === "PUT" ? 404 : "fine");
    await desk.sphere(1, 5, [20, 20, 10]);
    await desk.until("read-only");
    expect(() =>
      desk.session.beginStroke({ tool: "sphere", segment: 1, radiusMm: 3, overwrite: false, locked: [] }),
    ).toThrow("lease-lost");
    server.weather = () => "fine";
    await desk.session.resume(null);
    await desk.until("saved");
    expect(server.strokes).toHaveLength(1);
  });

  test("hours offline, a reload in between: the mask opens from the journal", async () => {
    const server = new Server(SHAPE),
      browser = new Browser();
    let desk = sit(server, browser);
    server.foreign((labels) => labels.fill(2, 100, 300));
    await desk.session.open();
    server.weather = () => "lost";
    for (let n = 0; n < 4; n++) await desk.sphere(1, 4, [8 * n + 5, 20, 10]);
    await desk.until("offline");
    await desk.session.undo();
    const labels = desk.labels;
    await desk.session.close();
    desk = sit(server, browser);
    const opened = await desk.session.open();
    expect([opened.restored, opened.history.undoDepth, opened.history.redoDepth]).toEqual([5, 3, 1]);
    expect(same(desk.labels, labels)).toBe(true);
    server.weather = () => "fine";
    await desk.until("saved");
    expect(same(server.labels, labels)).toBe(true);
    expect(server.strokes).toHaveLength(5);
  });

  test("the last of many strokes costs what the first did", async () => {
    const server = new Server(SHAPE),
      desk = sit(server, new Browser(), 1000);
    await desk.session.open();
    const sizes: number[] = [];
    for (let n = 0; n < 60; n++) {
      const before = server.bytes;
      await desk.sphere(1 + (n % 2), 4, [20, 20, 10]);
      await desk.session.flush();
      sizes.push(server.bytes - before);
    }
    expect(Math.abs(sizes.at(-1)! - sizes[1])).toBeLessThan(100);
  });
});

test("a long day leaves a short journal, which still opens without a network and undoes", async () => {
  const server = new Server(SHAPE),
    browser = new Browser();
  let desk = sit(server, browser, 1000);
  await desk.session.open();
  for (let n = 0; n < 600; n++) {
    await desk.sphere(1 + (n % 3), 2, [3 + (n % 39), 3 + (n % 34), 10]);
    if (n % 20 === 19) await desk.session.flush();
  }
  await desk.session.undo();
  await desk.session.flush();
  const journal = await Journal.open("a1/findings", journalOf("reader", browser.name));
  expect((await journal.read()).entries.length).toBeLessThan(480);
  journal.close();
  const drawn = desk.labels;
  await desk.session.close();
  server.weather = () => "lost";
  desk = sit(server, browser, 1000);
  const opened = await desk.session.open();
  expect([opened.history.undoDepth, opened.history.redoDepth, opened.restored]).toEqual([199, 1, 0]);
  expect(same(desk.labels, drawn)).toBe(true);
  for (let n = 0; n < 199; n++) await desk.session.undo();
  for (let n = 0; n < 199; n++) await desk.session.redo();
  expect(same(desk.labels, drawn)).toBe(true);
}, 20_000);

describe("another reader saves first", () => {
  const setUp = async (): Promise<[Server, Desk, Browser]> => {
    const server = new Server(SHAPE),
      browser = new Browser(),
      desk = sit(server, browser);
    server.foreign((labels) => labels.fill(2, 2000, 2100));
    await desk.session.open();
    return [server, desk, browser];
  };

  test("apart: theirs comes in, mine stays, one undo takes theirs back", async () => {
    const [server, desk] = await setUp();
    await desk.sphere(1, 4, [20, 20, 10]);
    server.foreign((labels) => labels.fill(3, 100, 140));
    await desk.until("saved");
    expect(same(server.labels, desk.labels)).toBe(true);
    expect([...desk.labels.subarray(100, 140)]).toEqual(new Array(40).fill(3));
    expect(desk.events.merged).toMatchObject([{ theirVoxels: 40, overlap: 0 }]);
    expect(server.strokes.map((stroke) => stroke.tool)).toEqual(["sphere"]);
    await desk.session.undo();
    expect(desk.labels[120]).toBe(0);
    const history = await desk.session.undo();
    expect(history.undoDepth).toBe(0);
    expect(desk.session.stats().segments.map(({ segment }) => segment)).toEqual([2]);
    await desk.session.flush();
    expect(same(server.labels, desk.labels)).toBe(true);
  });

  test.each(["mine", "theirs"] as const)(
    "over each other: nothing is sent until the reader decides for %s",
    async (keep) => {
      const [server, desk] = await setUp();
      const centre = (10 * 40 + 20) * 45 + 20;
      await desk.sphere(1, 4, [20, 20, 10]);
      server.foreign((labels) => {
        labels[centre] = 3;
        labels[centre + 1] = 1;
        labels[5] = 3;
      });
      await desk.until("conflict");
      const saves = server.saves;
      expect(desk.session.saveState()).toMatchObject({
        kind: "conflict",
        overlap: 1,
        box: { z0: 10, z1: 11, x0: 20, x1: 21 },
      });
      await desk.sphere(2, 3, [40, 35, 3]);
      expect(server.saves).toBe(saves);
      await desk.session.resolveConflict(keep);
      await desk.session.flush();
      expect(same(server.labels, desk.labels)).toBe(true);
      expect([desk.labels[centre], desk.labels[centre + 1], desk.labels[5]]).toEqual([keep === "mine" ? 1 : 3, 1, 3]);
    },
  );

  test("region by region: what was chosen holds, as one undoable stroke that names both versions", async () => {
    const [server, desk] = await setUp();
    const at = (x: number, y: number, z: number): number => (z * 40 + y) * 45 + x;
    await desk.sphere(1, 4, [10, 20, 10]);
    await desk.sphere(1, 4, [30, 20, 10]);
    const mine = desk.labels;
    const base = desk.session.saveState();
    server.foreign((labels) => {
      for (const x of [10, 11, 30, 31]) {
        labels[at(x, 20, 10)] = 3;
        labels[at(x, 21, 11)] = 2;
      }
      labels[5] = 3;
    });
    const theirs = server.labels.slice();
    await desk.until("conflict");
    const regions = desk.session.disagreements();
    expect(
      regions.map(({ voxels, mine: own, theirs: other, box }) => [voxels, own, [2, 3].includes(other), box.x0]),
    ).toEqual([
      [4, 1, true, 10],
      [4, 1, true, 30],
    ]);
    await desk.session.resolveConflict(["mine", "theirs"]);
    const expected = mine.slice();
    expected[5] = 3;
    for (const x of [30, 31]) for (const place of [at(x, 20, 10), at(x, 21, 11)]) expected[place] = theirs[place];
    expect(same(desk.labels, expected)).toBe(true);
    await desk.session.flush();
    expect(same(server.labels, expected)).toBe(true);
    const stroke = server.strokes.findLast(({ tool }) => tool === "merge")!;
    expect(stroke.params).toMatchObject({ parents: ["foreign-2", expect.any(String)], theirs: 4, differed: 8 });
    await desk.session.undo();
    expect(desk.labels[at(30, 20, 10)]).toBe(1);
    expect(base.kind).not.toBe("conflict");
  });

  test("all mine: the decision is in the log of strokes, and there is nothing to undo", async () => {
    const [server, desk] = await setUp();
    const centre = (10 * 40 + 20) * 45 + 20;
    await desk.sphere(1, 4, [20, 20, 10]);
    server.foreign((labels) => {
      labels[centre] = 3;
    });
    await desk.until("conflict");
    await desk.session.resolveConflict("mine");
    await desk.session.flush();
    expect(server.strokes.map(({ tool }) => tool)).toEqual(["sphere", "merge"]);
    expect((await desk.session.undo()).undoDepth).toBe(0);
  });

  test("while this tab was closed with strokes unsent: merged on opening", async () => {
    const [server, desk, browser] = await setUp();
    server.weather = () => "lost";
    await desk.sphere(1, 4, [20, 20, 10]);
    await desk.sphere(1, 4, [30, 20, 10]);
    await desk.session.undo();
    const mine = desk.labels;
    await desk.crash();
    server.foreign((labels) => labels.fill(3, 100, 140));
    const again = sit(server, browser);
    await again.session.open();
    await again.session.flush();
    mine.fill(3, 100, 140);
    expect(same(again.labels, mine)).toBe(true);
    expect(same(server.labels, mine)).toBe(true);
    const third = sit(server, new Browser());
    await third.session.open();
    expect(same(third.labels, mine)).toBe(true);
  });

  test("in the middle of a conflict a reload asks again", async () => {
    const [server, desk, browser] = await setUp();
    const centre = (10 * 40 + 20) * 45 + 20;
    await desk.sphere(1, 4, [20, 20, 10]);
    server.foreign((labels) => {
      labels[centre] = 3;
    });
    await desk.until("conflict");
    await desk.crash();
    const again = sit(server, browser);
    await again.session.open();
    expect(again.session.saveState()).toMatchObject({ kind: "conflict", overlap: 1 });
    await again.session.resolveConflict("theirs");
    await again.session.flush();
    expect(again.labels[centre]).toBe(3);
  });
});

describe.each([
  ["Web Locks", true],
  ["BroadcastChannel alone", false],
])("two tabs, %s", (_, hasLocks) => {
  test("the second is read-only until it takes over; the first hands its strokes on", async () => {
    const server = new Server(SHAPE),
      browser = new Browser(hasLocks);
    const first = sit(server, browser, 10_000);
    await first.session.open();
    await first.sphere(1, 4, [10, 20, 10]);
    first.session.beginStroke({ tool: "sphere", segment: 1, radiusMm: 4, overwrite: false, locked: [] });
    first.session.dab([20, 20, 10]);
    const second = sit(server, browser, 5);
    await second.session.open();
    expect(second.session.saveState()).toMatchObject({ kind: "read-only", reason: "other-tab" });
    expect(() =>
      second.session.beginStroke({ tool: "sphere", segment: 1, radiusMm: 3, overwrite: false, locked: [] }),
    ).toThrow("other-tab");
    const drawn = first.labels;
    const opened = await second.session.takeOver();
    expect(opened.restored).toBe(2);
    expect(same(second.labels, drawn)).toBe(true);
    expect(first.session.saveState()).toMatchObject({ kind: "read-only", reason: "taken-over" });
    await second.sphere(1, 4, [30, 20, 10]);
    await second.session.flush();
    expect(same(server.labels, second.labels)).toBe(true);
    expect(server.strokes).toHaveLength(3);
  });
});

test("opening again after a failure works in the same tab", async () => {
  const server = new Server(SHAPE),
    desk = sit(server, new Browser());
  server.weather = () => "lost";
  await expect(desk.session.open()).rejects.toThrow("network");
  expect(() =>
    desk.session.beginStroke({ tool: "sphere", segment: 1, radiusMm: 3, overwrite: false, locked: [] }),
  ).toThrow("not-loaded");
  server.weather = () => "fine";
  expect((await desk.session.open()).save.kind).toBe("saved");
  await desk.sphere(1, 4, [20, 20, 10]);
  await desk.until("saved");
});

test("finished lines are forgotten after a month, unsent ones never", async () => {
  const server = new Server(SHAPE),
    browser = new Browser();
  const desk = sit(server, browser, 10_000);
  await desk.session.open();
  await desk.sphere(1, 4, [20, 20, 10]);
  const other = await Journal.open("other/findings", journalOf("reader", browser.name));
  const later = Date.now() + 40 * 24 * 3600 * 1000;
  await other.tidy(later);
  const journal = await Journal.open("a1/findings", journalOf("reader", browser.name));
  expect((await journal.read()).entries).toHaveLength(1);
  await desk.session.flush();
  await desk.session.close();
  await other.tidy(later);
  expect(await journal.read()).toEqual({ state: null, entries: [], base: null, pending: null });
  other.close();
  journal.close();
});

test("a review without correction shows and never writes", async () => {
  const server = new Server(SHAPE);
  server.foreign((labels) => labels.fill(2, 100, 300));
  const desk = sit(server, new Browser(), 5, false);
  const opened = await desk.session.open();
  expect(opened.save).toEqual({ kind: "read-only", reason: "not-editable", unsent: 0 });
  expect(same(desk.labels, server.labels)).toBe(true);
  await expect(desk.session.undo()).rejects.toThrow("not-editable");
});

describe("a save that is not taken", () => {
  test.each([413, 422] as const)(
    "%i: stops, says why, keeps every stroke, and goes when it is tried again",
    async (status) => {
      const server = new Server(SHAPE),
        browser = new Browser();
      let desk = sit(server, browser);
      await desk.session.open();
      let asked = 0;
      server.weather = (method) => {
        if (method === "PUT") asked++;
        return method === "PUT" ? status : "fine";
      };
      await desk.sphere(1, 5, [20, 20, 10]);
      await desk.until("refused");
      expect(desk.session.saveState()).toEqual({
        kind: "refused",
        unsent: 1,
        code: "refused",
        detail: "The server says refused.",
      });
      await desk.sphere(1, 5, [30, 20, 10]);
      await new Promise((resolve) => setTimeout(resolve, 60));
      expect(asked).toBe(1);
      await expect(desk.session.flush()).rejects.toThrow("refused");
      const drawn = desk.labels;
      await desk.crash();
      desk = sit(server, browser);
      expect((await desk.session.open()).restored).toBe(2);
      await desk.until("saved");
      expect(same(server.labels, drawn)).toBe(true);
      expect(server.strokes).toHaveLength(2);
    },
  );

  test("507: tried again by itself, and told as what it is", async () => {
    const server = new Server(SHAPE),
      desk = sit(server, new Browser());
    await desk.session.open();
    server.weather = (method) => (method === "PUT" ? 507 : "fine");
    await desk.sphere(1, 5, [20, 20, 10]);
    await desk.until("offline");
    expect(desk.session.saveState()).toMatchObject({ reason: "no_space", unsent: 1 });
    server.weather = () => "fine";
    await desk.until("saved");
    expect(server.strokes).toHaveLength(1);
  });

  test.each([
    [503, "database_away"],
    [429, "too_many_requests"],
  ] as const)("%i: kept here, and not sent before the server wants it", async (weather, reason) => {
    const server = new Server(SHAPE),
      desk = sit(server, new Browser());
    await desk.session.open();
    server.weather = (method) => (method === "PUT" ? weather : "fine");
    await desk.sphere(1, 5, [20, 20, 10]);
    await desk.until("offline");
    const state = desk.session.saveState();
    expect(state).toMatchObject({ reason, unsent: 1 });
    expect(state.kind === "offline" && state.retryInMs).toBeGreaterThanOrEqual(1000);
    server.weather = () => "fine";
    await desk.until("saved");
    expect(server.strokes).toHaveLength(1);
  });

  test("the scan was given to somebody else: strokes of days offline are kept, and can be had as a file", async () => {
    const server = new Server(SHAPE),
      browser = new Browser();
    let desk = sit(server, browser);
    await desk.session.open();
    server.weather = () => "lost";
    await desk.sphere(2, 5, [20, 20, 10]);
    await desk.until("offline");
    await desk.session.close();
    server.weather = () => 404;
    desk = sit(server, browser);
    await desk.session.open();
    await desk.until("read-only");
    expect(desk.session.saveState()).toEqual({ kind: "read-only", reason: "lease-lost", unsent: 1 });
    const file = await gunzip(await desk.session.exportNifti());
    const header = new DataView(file.buffer, file.byteOffset);
    expect([header.getInt16(42, true), header.getInt16(44, true), header.getInt16(46, true)]).toEqual([45, 40, 20]);
    expect([0, 1, 2, 3].map((n) => header.getFloat32(280 + 4 * n, true))).toEqual(
      [-1, 0, 0, 20].map((v) => v || expect.closeTo(0)),
    );
    expect(same(file.subarray(352), desk.labels)).toBe(true);
    const [left] = await Journal.unsent(journalOf("reader", browser.name));
    expect(left).toMatchObject({ strokes: 1, state: { about: { scan: "VX-1", layer: "findings" } } });
    server.weather = () => "fine";
    await desk.session.resume(null);
    await desk.until("saved");
    expect(server.strokes).toHaveLength(1);
  });

  test("another person on the same browser neither sees nor sends the first one's strokes", async () => {
    const server = new Server(SHAPE),
      browser = new Browser();
    const first = sit(server, browser);
    await first.session.open();
    server.weather = () => "lost";
    await first.sphere(1, 5, [20, 20, 10]);
    await first.crash();
    const second = new Desk(server, browser, 5, true, "somebody-else");
    open.push(second);
    expect((await second.session.open()).restored).toBe(0);
    await second.session.flush();
    expect([server.strokes.length, second.labels.some((label) => label > 0)]).toEqual([0, false]);
    await second.session.close();
    const again = sit(server, browser);
    expect((await again.session.open()).restored).toBe(1);
    await again.until("saved");
  });
});

describe("a browser that keeps nothing", () => {
  afterEach(() => vi.restoreAllMocks());

  test("its disk fills up: nothing is replayed with a hole, and all of it is kept once there is room", async () => {
    const server = new Server(SHAPE),
      browser = new Browser();
    let desk = sit(server, browser, 10_000);
    await desk.session.open();
    await desk.sphere(1, 4, [10, 20, 10]);
    const before = desk.labels;
    const full = vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    await desk.sphere(1, 4, [20, 20, 10]);
    await desk.session.undo();
    await desk.sphere(1, 4, [30, 20, 10]);
    expect(desk.events.keeping).toMatchObject([{ kind: "failing", why: "QuotaExceededError: full" }]);
    const reader = await Journal.open("a1/findings", journalOf("reader", browser.name));
    expect((await reader.read()).entries).toHaveLength(1);
    reader.close();
    full.mockRestore();
    await desk.sphere(2, 4, [40, 20, 10]);
    expect(desk.events.keeping?.at(-1)).toMatchObject({ kind: "journal" });
    const drawn = desk.labels;
    await desk.crash();
    desk = sit(server, browser, 10_000);
    expect((await desk.session.open()).restored).toBe(5);
    expect(same(desk.labels, drawn)).toBe(true);
    expect(same(desk.labels, before)).toBe(false);
    await desk.session.flush();
    expect(same(server.labels, drawn)).toBe(true);
  });

  test("no IndexedDB at all: strokes go to the server, and the page is told", async () => {
    const server = new Server(SHAPE),
      desk = sit(server, new Browser());
    vi.spyOn(indexedDB, "open").mockImplementation(() => {
      throw new DOMException("not allowed", "SecurityError");
    });
    await desk.session.open();
    expect(desk.events.keeping).toMatchObject([{ kind: "memory" }]);
    await desk.sphere(1, 4, [10, 20, 10]);
    await desk.session.undo();
    await desk.session.redo();
    await desk.until("saved");
    expect(same(server.labels, desk.labels)).toBe(true);
    expect(server.strokes).toHaveLength(3);
  });
});

test("an earlier revision is restored as one stroke, erased voxels too, and one undo takes it back", async () => {
  const server = new Server(SHAPE),
    desk = sit(server, new Browser());
  await desk.session.open();
  await desk.sphere(1, 6, [20, 20, 10]);
  await desk.stroke({ tool: "erase", radiusMm: 3, planar: false, segments: null, locked: [] }, [20, 20, 10]);
  await desk.session.flush();
  const then = desk.labels;
  const message = new Uint8Array(await (await server.fetch("/", { method: "GET" })).arrayBuffer());
  await desk.sphere(2, 8, [26, 20, 10]);
  await desk.stroke({ tool: "erase", radiusMm: 4, planar: false, segments: null, locked: [] }, [14, 20, 10]);
  const now = desk.labels;
  await desk.session.putOverlay("revision", message);
  await desk.session.apply({ op: "restore", overlay: "revision", revision: "r1" });
  expect(same(desk.labels, then)).toBe(true);
  await desk.session.undo();
  expect(same(desk.labels, now)).toBe(true);
  await desk.session.redo();
  await desk.session.flush();
  expect(same(server.labels, then)).toBe(true);
  expect(server.strokes.find((stroke) => stroke.tool === "restore")?.params).toEqual({ revision: "r1" });
});
