import { describe, expect, it } from "vitest";
import { enlarge, Sketch } from "../../src/load/enlarge";
import { Volume } from "../../src/load/volume";
import type { VolumeIndex } from "../../src/ground/contract";
import { runsOf } from "../../src/load/stream";
import { type Zyx } from "../../src/editor/types";

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
  const preview = (voxels: Uint8Array, from: Zyx, step: Zyx, huLo: number, huStep: number) => ({
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
    const shape: Zyx = [10, 8, 13];
    const whole = enlarge(small, shape, 0, 10);
    expect([...enlarge(small, shape, 3, 7)]).toEqual([...whole.subarray(3 * 104, 7 * 104)]);
    const sketch = new Sketch(small, shape);
    let n = 0;
    for (let z = 0; z < 10; z++)
      for (let y = 0; y < 8; y++)
        for (let x = 0; x < 13; x++) expect(Math.abs(sketch.at(x, y, z) - whole[n++]!)).toBeLessThanOrEqual(1);
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
    volume.put(3, 1, new Int16Array(9).fill(-7));
    const before = [shown("axial", 1, 9), shown("coronal", 1, 12), shown("sagittal", 2, 12)];
    expect(before[1]!.slice(9)).toEqual([-7, -7, -7]);
    volume.fill(0, enlarge(small, [4, 3, 3], 0, 4));
    expect([shown("axial", 1, 9), shown("coronal", 1, 12), shown("sagittal", 2, 12)]).toEqual(before);
    expect(volume.at(0, 0, 3)).toBe(-7);
    expect([...volume.full]).toEqual([0, 0, 0, 1]);
  });

  it("goes once every slice is there, and is not put over what a decoder writes", () => {
    const index = { shape_zyx: [3, 2, 2], pack: { dtype: "int16" } } as unknown as VolumeIndex;
    const small = preview(new Uint8Array(12).fill(100), [3, 2, 2], [1, 1, 1], 0, 1);
    const volume = new Volume(index, small, new Int16Array(new SharedArrayBuffer(24)));
    expect(volume.room).toBe(volume.hu);
    volume.expect(1, 1);
    volume.room?.fill(-5, 4, 8); // the decoder
    volume.fill(0, enlarge(small, [3, 2, 2], 0, 3));
    expect([...volume.hu]).toEqual([100, 100, 100, 100, -5, -5, -5, -5, 100, 100, 100, 100]);
    expect([volume.hasSketch, volume.at(0, 0, 1)]).toEqual([true, 100]);
    volume.put(1, 1, null);
    expect([volume.hasSketch, volume.at(0, 0, 1), volume.fullCount]).toEqual([false, -5, 1]);
  });

  it("goes, too, where a slice is lost", () => {
    const index = { shape_zyx: [2, 1, 1], pack: { dtype: "int16" } } as unknown as VolumeIndex;
    const volume = new Volume(index, preview(Uint8Array.of(1, 2), [2, 1, 1], [1, 1, 1], 0, 1));
    expect(volume.room).toBeNull();
    volume.put(0, 1, Int16Array.of(7));
    volume.lose(1);
    expect([volume.hasSketch, volume.at(0, 0, 0), volume.at(0, 0, 1)]).toEqual([false, 7, null]);
  });
});
