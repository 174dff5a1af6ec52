import "fake-indexeddb/auto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Browser, same } from "./desk";
import { Server } from "./server";
import { SHAPE, gesture, sit } from "./sessions";

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
            expect(same(desk.labels, states[n]!)).toBe(true);
            if (n === backAt) await reload();
          }
          expect((await desk.session.undo()).undoDepth).toBe(0);
          for (let n = 1; n < states.length; n++) {
            await desk.session.redo();
            expect(same(desk.labels, states[n]!)).toBe(true);
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
    expect(stats.segments[0]!.ml).toBeCloseTo((counted.get(1)! * 2) / 1000);
  });
});
