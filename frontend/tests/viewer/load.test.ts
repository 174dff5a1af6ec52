import { describe, expect, it } from "vitest";
import { enlarge } from "../../src/viewer/load/enlarge";
import { runsOf } from "../../src/viewer/load/stream";

describe("runs of slices", () => {
  it("cover the pack once, in order, none larger than asked unless one slice is", () => {
    const lengths = [100, 120, 90, 400, 10, 10, 250];
    let offset = 0;
    const slices = lengths.map((length) => { const at = offset; offset += length; return [at, length] as const; });
    const runs = runsOf(slices, 300);
    expect(runs.flatMap((r) => r.lengths)).toEqual(lengths);
    expect(runs.map((r) => r.z0)).toEqual([0, 2, 3, 4]);
    for (const run of runs) expect(run.bytes <= 300 || run.lengths.length === 1).toBe(true);
    expect(runs.map((r) => r.offset)).toEqual([0, 220, 310, 710]);
  });
});

describe("preview at the size of the scan", () => {
  it("keeps a constant and reaches the values of the blocks in their middles", () => {
    const flat = enlarge(new Uint8Array(2 * 2 * 2).fill(16), [2, 2, 2], [2, 3, 3], [4, 6, 6], -1024, 8);
    expect(new Set(flat)).toEqual(new Set([-1024 + 128]));
    const ramp = enlarge(Uint8Array.from([0, 100, 200]), [1, 1, 3], [1, 1, 3], [1, 1, 9], 0, 1);
    expect([ramp[1], ramp[4], ramp[7]]).toEqual([0, 100, 200]);
    expect([...ramp]).toEqual([...ramp].sort((a, b) => a - b));
  });

  it("fits a last block that is partial", () => {
    expect(enlarge(new Uint8Array(3 * 3 * 3).fill(1), [3, 3, 3], [2, 2, 2], [5, 5, 5], 0, 8)).toHaveLength(125);
  });
});
