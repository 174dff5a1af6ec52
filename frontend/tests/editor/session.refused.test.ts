import "fake-indexeddb/auto";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Journal, journalOf } from "../../src/editor/journal";
import { gunzip } from "../../src/editor/message";
import { Browser, Desk, same } from "./desk";
import { Server } from "./server";
import { SHAPE, open, sit } from "./sessions";

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
