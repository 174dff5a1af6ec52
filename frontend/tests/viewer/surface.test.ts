import { describe, expect, it } from "vitest";
import type { MaskMirror } from "../../src/viewer/mirror";
import { drawSurface, surfaceOf } from "../../src/viewer/image/surface";

const SHAPE = [10, 20, 20] as const;
const LPS = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 2.5, 0]];

/** A block of segment 2 in the middle. */
function block(): MaskMirror {
  const labels = (z: number) => {
    if (z < 3 || z > 6) return null;
    const out = new Uint8Array(400);
    for (let y = 6; y < 14; y++) for (let x = 6; x < 14; x++) out[y * 20 + x] = 2;
    return out;
  };
  return { shapeZyx: SHAPE, labels } as unknown as MaskMirror;
}

describe("surface of the mask", () => {
  it("has points of the segment around its border, normals outward", () => {
    const surface = surfaceOf(block(), [], [2.5, 1, 1], LPS);
    expect(surface.count).toBeGreaterThan(20);
    expect(new Set(surface.labels)).toEqual(new Set([2]));
    for (let n = 0; n < surface.count; n++) {
      const dot = [0, 1, 2].reduce((sum, a) => sum + surface.points[3 * n + a] * surface.normals[3 * n + a], 0);
      expect(dot).toBeGreaterThan(0);
    }
  });

  it("is drawn in the segment's colour in the middle of the pane, and not when hidden", () => {
    const surface = surfaceOf(block(), [], [2.5, 1, 1], LPS);
    const out = new Uint32Array(60 * 60);
    drawSurface(surface, out, 60, 60, 0, 0, 2, new Map([[2, "#ff0000"]]), new Set());
    expect(out[30 * 60 + 30] & 0xff).toBeGreaterThan(60);
    expect((out[30 * 60 + 30] >> 8) & 0xff).toBe(0);
    drawSurface(surface, out, 60, 60, 0, 0, 2, new Map([[2, "#ff0000"]]), new Set([2]));
    expect(new Set(out)).toEqual(new Set([0xff000000]));
  });
});
