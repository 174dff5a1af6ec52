import { describe, expect, it } from "vitest";
import { enlarge, Sketch } from "../../src/viewer/load/enlarge";
import { Volume, type VolumeIndex } from "../../src/viewer/load/volume";
import { runsOf } from "../../src/viewer/load/stream";

describe("runs of slices", () => {
  it("cover the pack once, in order, none larger than asked unless one slice is", () => {
    const lengths = [100, 120, 90, 400, 10, 10, 250];
    let offset = 0;
    const slices = lengths.map((length) => {
      const at = offset;
      offset += length;
      return [at, length] as const;
    });
    const runs = runsOf(slices, 300);
    expect(runs.flatMap((r) => r.lengths)).toEqual(lengths);
    expect(runs.map((r) => r.z0)).toEqual([0, 2, 3, 4]);
    for (const run of runs) expect(run.bytes <= 300 || run.lengths.length === 1).toBe(true);
    expect(runs.map((r) => r.offset)).toEqual([0, 220, 310, 710]);
  });
});

describe("preview at the size of the scan", () => {
  const preview = (voxels: Uint8Array, from: number[], step: number[], huLo: number, huStep: number) => ({
    voxels,
    from,
    step,
    huLo,
    huStep,
  });

  it("keeps a constant and reaches the values of the blocks in their middles", () => {
    const flat = enlarge(preview(new Uint8Array(2 * 2 * 2).fill(16), [2, 2, 2], [2, 3, 3], -1024, 8), [4, 6, 6], 0, 4);
    expect(new Set(flat)).toEqual(new Set([-1024 + 128]));
    const ramp = enlarge(preview(Uint8Array.from([0, 100, 200]), [1, 1, 3], [1, 1, 3], 0, 1), [1, 1, 9], 0, 1);
    expect([ramp[1], ramp[4], ramp[7]]).toEqual([0, 100, 200]);
    expect([...ramp]).toEqual([...ramp].sort((a, b) => a - b));
  });

  it("fits a last block that is partial", () => {
    expect(
      enlarge(preview(new Uint8Array(3 * 3 * 3).fill(1), [3, 3, 3], [2, 2, 2], 0, 8), [5, 5, 5], 0, 5),
    ).toHaveLength(125);
  });

  it("is the same whole, in parts and voxel by voxel", () => {
    const voxels = Uint8Array.from({ length: 3 * 4 * 5 }, (_, n) => (n * 89) % 256);
    const small = preview(voxels, [3, 4, 5], [4, 2, 3], -1024, 8);
    const shape = [10, 8, 13];
    const whole = enlarge(small, shape, 0, 10);
    expect([...enlarge(small, shape, 3, 7)]).toEqual([...whole.subarray(3 * 104, 7 * 104)]);
    const sketch = new Sketch(small, shape);
    let n = 0;
    for (let z = 0; z < 10; z++)
      for (let y = 0; y < 8; y++)
        for (let x = 0; x < 13; x++) expect(Math.abs(sketch.at(x, y, z) - whole[n++])).toBeLessThanOrEqual(1);
  });

  it("is what a volume shows where nothing has come, and never covers what has", () => {
    const index = { shape_zyx: [4, 3, 3], pack: { dtype: "int16" } } as unknown as VolumeIndex;
    const small = preview(Uint8Array.from([0, 200]), [2, 1, 1], [2, 3, 3], 0, 1);
    const volume = new Volume(index, small);
    const table = Uint32Array.from({ length: 65536 }, (_, n) => n);
    const shown = (plane: "axial" | "coronal" | "sagittal", at: number, size: number) => {
      const out = new Uint32Array(size);
      volume.paint(plane, at, table, out);
      return [...out].map((v) => v - 32768);
    };
    expect(volume.at(1, 1, 0)).toBe(0);
    expect(volume.at(1, 1, 3)).toBe(200);
    volume.put(3, new Int16Array(9).fill(-7));
    const before = [shown("axial", 1, 9), shown("coronal", 1, 12), shown("sagittal", 2, 12)];
    expect(before[1].slice(9)).toEqual([-7, -7, -7]);
    volume.fill(0, enlarge(small, [4, 3, 3], 0, 4));
    expect([shown("axial", 1, 9), shown("coronal", 1, 12), shown("sagittal", 2, 12)]).toEqual(before);
    expect(volume.at(0, 0, 3)).toBe(-7);
    expect([...volume.full]).toEqual([0, 0, 0, 1]);
  });
});
