import { describe, expect, test } from "vitest";
import { votes } from "../../src/viewer/stage/heat";

describe("disagreement of readers", () => {
  test("counts who marks a pixel, whatever segment; erased counts as nothing", () => {
    expect([
      ...votes([Uint8Array.of(0, 1, 1, 255, 3), Uint8Array.of(0, 0, 2, 1, 255), Uint8Array.of(0, 0, 1, 0, 0)]),
    ]).toEqual([0, 1, 3, 1, 1]);
    expect([...votes([])]).toEqual([]);
  });
});
