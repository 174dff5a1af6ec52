import "fake-indexeddb/auto";
import { describe, expect, test, vi } from "vitest";
import { Journal, journalOf } from "../../src/editor/journal";
import { Browser, Desk, same } from "./desk";
import { Server } from "./server";
import { SHAPE, sit } from "./sessions";

const CENTRE = (10 * 40 + 20) * 45 + 20;

describe("another reader saves first", () => {
  const setUp = async (): Promise<[Server, Desk, Browser]> => {
    const server = new Server(SHAPE),
      browser = new Browser(),
      desk = sit(server, browser);
    server.foreign((labels) => labels.fill(2, 2000, 2100));
    await desk.session.open();
    return [server, desk, browser];
  };

  /** Both have changed one voxel, and the reader is asked. */
  const disagree = async (): Promise<[Server, Desk, Browser]> => {
    const [server, desk, browser] = await setUp();
    await desk.sphere(1, 4, [20, 20, 10]);
    server.foreign((labels) => {
      labels[CENTRE] = 3;
    });
    await desk.until("conflict");
    return [server, desk, browser];
  };

  test("apart: theirs comes in, mine stays, one undo takes theirs back", async () => {
    const [server, desk] = await setUp();
    await desk.sphere(1, 4, [20, 20, 10]);
    server.foreign((labels) => labels.fill(3, 100, 140));
    await desk.until("saved");
    expect(same(server.labels, desk.labels)).toBe(true);
    expect([...desk.labels.subarray(100, 140)]).toEqual(Array.from({ length: 40 }, () => 3));
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
      await desk.sphere(1, 4, [20, 20, 10]);
      server.foreign((labels) => {
        labels[CENTRE] = 3;
        labels[CENTRE + 1] = 1;
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
      expect([desk.labels[CENTRE], desk.labels[CENTRE + 1], desk.labels[5]]).toEqual([keep === "mine" ? 1 : 3, 1, 3]);
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
    for (const x of [30, 31]) for (const place of [at(x, 20, 10), at(x, 21, 11)]) expected[place] = theirs[place]!;
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
    const [server, desk] = await disagree();
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
    const [server, desk, browser] = await disagree();
    await desk.crash();
    const again = sit(server, browser);
    await again.session.open();
    expect(again.session.saveState()).toMatchObject({ kind: "conflict", overlap: 1 });
    await again.session.resolveConflict("theirs");
    await again.session.flush();
    expect(again.labels[CENTRE]).toBe(3);
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

test("the lock of a page that is gone is waited for", async () => {
  const server = new Server(SHAPE),
    browser = new Browser();
  let letGo = () => {};
  void browser.locks.request("voxloop:a1/findings", {}, () => new Promise<void>((resolve) => (letGo = resolve)));
  const desk = sit(server, browser, 5);
  const opening = desk.session.open();
  await vi.waitFor(() => expect(browser.locks.waiting).toBe(1), { timeout: 30_000 });
  letGo();
  await opening;
  await desk.sphere(1, 4, [20, 20, 10]);
  await desk.until("saved");
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
