import "fake-indexeddb/auto";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { Journal, journalOf } from "../../src/editor/journal";
import { Browser, same } from "./desk";
import { Server, type Weather } from "./server";
import { SHAPE, sit } from "./sessions";

describe("saving", () => {
  test("strokes reach the server by themselves, each once, only what changed", async () => {
    const server = new Server(SHAPE),
      desk = sit(server, new Browser());
    await desk.session.open();
    await desk.sphere(1, 6, [20, 20, 10]);
    await desk.until("saved");
    expect(desk.states).toContainEqual(expect.objectContaining({ kind: "unsaved", unsent: 1 }));
    await desk.sphere(1, 2, [3, 3, 2]);
    await desk.session.undo();
    await desk.until("saved");
    expect(same(server.labels, desk.labels)).toBe(true);
    expect(server.strokes.map((stroke) => stroke.tool)).toEqual(["sphere", "sphere", "undo"]);
    expect(server.strokes[2]!.params).toEqual({ of: server.strokes[1]!.id });
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
          await vi.waitFor(() => desk.session.flush(), { timeout: 30_000 });
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
    expect(Math.abs(sizes.at(-1)! - sizes[1]!)).toBeLessThan(100);
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
