/** Desks at which the tests of sessions sit; they are left when a test ends. */

import "fake-indexeddb/auto";
import fc from "fast-check";
import { afterEach } from "vitest";
import type { Ijk, Tool, Zyx } from "../../src/editor/types";
import { Browser, Desk } from "./desk";
import { Server } from "./server";

export const SHAPE: Zyx = [20, 40, 45];
/** Left when the test ends. */
export const open: Desk[] = [];
export const sit = (server: Server, browser: Browser, autosaveMs = 5, editable = true): Desk => {
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
export const gesture = fc.record({ tool, at: fc.array(ijk, { minLength: 1, maxLength: 3 }) });
