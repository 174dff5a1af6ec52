import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loopsOf } from "../../src/viewer/geometry/contour";

/** Signed areas of the loops, summed. */
function area(loops: readonly number[][]): number {
  let sum = 0;
  for (const loop of loops) {
    for (let p = 0, q = loop.length - 2; p < loop.length; q = p, p += 2)
      sum += loop[q]! * loop[p + 1]! - loop[p]! * loop[q + 1]!;
  }
  return Math.abs(sum) / 2;
}

describe("outlines", () => {
  it("cut an eighth off each corner of a block and follow its edges", () => {
    const labels = new Uint8Array(8 * 6);
    for (let y = 1; y < 4; y++) for (let x = 2; x < 7; x++) labels[y * 8 + x] = 3;
    const loops = loopsOf(labels, 8, 6, 3);
    expect(loops).toHaveLength(1);
    expect(area(loops)).toBeCloseTo(15 - 4 / 8);
    const xs = loops[0]!.filter((_, n) => n % 2 === 0);
    expect([Math.min(...xs), Math.max(...xs)]).toEqual([2, 7]);
  });

  it("go round holes and reach the border", () => {
    const labels = new Uint8Array(25).fill(1);
    labels[12] = 0;
    const loops = loopsOf(labels, 5, 5, 1);
    expect(loops).toHaveLength(2);
    expect(area(loops)).toBeCloseTo(25 - 4 / 8 - 0.5);
  });

  it("are nothing where the segment is not", () => expect(loopsOf(new Uint8Array(16), 4, 4, 1)).toEqual([]));

  it("are closed whatever the mask: each step is at most one voxel long", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 1), { minLength: 63, maxLength: 63 }), (cells) => {
        for (const loop of loopsOf(Uint8Array.from(cells), 9, 7, 1)) {
          for (let p = 0, q = loop.length - 2; p < loop.length; q = p, p += 2) {
            expect(Math.hypot(loop[p]! - loop[q]!, loop[p + 1]! - loop[q + 1]!)).toBeLessThanOrEqual(1.0001);
          }
        }
      }),
    );
  });
});
