/** What is kept, and what goes on to another thread: no more than is needed, and never the mask's own memory. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CHUNK_VOXELS } from "../../src/editor/chunks";
import { coarseOf } from "../../src/editor/coarse";
import { buffersIn, letGo } from "../../src/editor/handover";
import { Labelmap } from "../../src/editor/labelmap";
import { RunBuilder } from "../../src/editor/runs";
import { sliceFacts } from "../../src/editor/slicefacts";
import { SparseMask } from "../../src/editor/sparsemask";
import type { Zyx } from "../../src/editor/types";
import { Volume } from "../../src/editor/volume";

const SHAPE: Zyx = [40, 35, 70];
const SIZE = SHAPE[0] * SHAPE[1] * SHAPE[2];

function labelmapOf(values: Uint8Array): Labelmap {
  const map = new Labelmap(SHAPE);
  const runs = new RunBuilder();
  values.forEach((value, n) => runs.push(n, 1, 0, value));
  map.apply(runs.build(), new Set());
  return map;
}

const sparse = (map: Labelmap): SparseMask =>
  new SparseMask({ layer: "limit", shapeZyx: SHAPE, chunks: map.payloads(map.occupiedChunks()), strokes: [] });

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** Noise of so many values, 0 among them. */
const noise = (values: number): Uint8Array => new Uint8Array(SIZE).map((_, n) => ((n * 2_654_435_761) >>> 16) % values);

describe("a mask that is only looked at", () => {
  it.each([
    [2, 1],
    [4, 2],
    [16, 4],
    [200, 8],
  ])("of %i values takes %i bits a voxel", (values, bits) => {
    const map = labelmapOf(noise(values));
    expect(sparse(map).bytes).toBe((map.occupiedChunks().length * CHUNK_VOXELS * bits) / 8);
  });

  it("takes nothing where a chunk is all one", () => {
    const map = new Labelmap([32, 32, 64]);
    const runs = new RunBuilder();
    for (let row = 0; row < 32 * 32; row++) runs.push(row * 64, 32, 0, 7);
    map.apply(runs.build(), new Set());
    const mask = new SparseMask({ layer: "limit", shapeZyx: map.shape, chunks: map.payloads([0, 1]), strokes: [] });
    expect(mask.bytes).toBe(0);
    expect([mask.at(31, 31, 31), mask.at(31, 31, 32)]).toEqual([7, 0]);
  });

  it("is read as what it was, voxel by voxel, in slices, chunks and stretches", () => {
    fc.assert(
      fc.property(fc.constantFrom(2, 3, 5, 40), fc.nat(SIZE - 1), (values, from) => {
        const map = labelmapOf(noise(values).fill(0, from, from + 9000));
        const mask = sparse(map);
        const read = new Uint8Array(SIZE);
        mask.forEachStretch((start, length, label) => read.fill(label, start, start + length));
        expect(isSame(read, map.data)).toBe(true);
        const part = new Uint8Array(SIZE);
        mask.forEachStretch((start, length, label) => part.fill(label, start, start + length), 5, 35);
        expect(isSame(part.subarray(5 * 35 * 70, 35 * 35 * 70), map.data.subarray(5 * 35 * 70, 35 * 35 * 70))).toBe(
          true,
        );
        expect(part.subarray(0, 5 * 35 * 70).some(Boolean) || part.subarray(35 * 35 * 70).some(Boolean)).toBe(false);
        for (const [plane, index] of [
          ["axial", 33],
          ["coronal", 34],
          ["sagittal", 69],
        ] as const)
          expect(isSame(mask.slice(plane, index).data, map.slice(plane, index).data)).toBe(true);
        const [mine, theirs] = [new Uint8Array(CHUNK_VOXELS), new Uint8Array(CHUNK_VOXELS)];
        for (const chunk of map.occupiedChunks())
          expect(isSame(mask.readChunk(chunk, theirs)!, map.readChunk(map.chunkIndex(chunk), mine))).toBe(true);
      }),
      { numRuns: 12 },
    );
  });
});

describe("what the page is told of a slice", () => {
  const map = labelmapOf(new Uint8Array(SIZE).fill(2, 10 * 35 * 70 + 75, 10 * 35 * 70 + 95));

  it("takes no memory where nothing is marked", () => {
    for (const z of [0, 9, 11, 39]) expect(buffersIn(sliceFacts(map, z, null, null))).toEqual([]);
  });

  it("is a copy: handing it over leaves the mask", () => {
    const facts = sliceFacts(map, 10, null, null);
    expect(facts.marked).toBe(20);
    // Voxels 5 to 24 of row 1.
    expect(facts.labels).toEqual({ x: 5, y: 1, width: 20, height: 1, data: new Uint8Array(20).fill(2) });
    const buffers = buffersIn(facts);
    expect(buffers).toHaveLength(3);
    expect(buffers).not.toContain(map.data.buffer);
    expect(buffersIn(map.slice("axial", 10))).not.toContain(map.data.buffer);
  });

  it("is as large as what is marked, and holds erased voxels, too", () => {
    const data = new Uint8Array(SIZE);
    const slice = data.subarray(7 * 35 * 70, 8 * 35 * 70);
    slice[34 * 70 + 69] = 3;
    slice[30 * 70 + 60] = 255;
    const part = sliceFacts(labelmapOf(data), 7, null, null).labels!;
    expect(part).toMatchObject({ x: 60, y: 30, width: 10, height: 5 });
    const again = new Uint8Array(35 * 70);
    for (let row = 0; row < part.height; row++)
      again.set(part.data.subarray(row * part.width, (row + 1) * part.width), (part.y + row) * 70 + part.x);
    expect(again).toEqual(slice);
  });

  it("counts what was added to another mask and what was removed from it", () => {
    fc.assert(
      fc.property(fc.constantFrom(2, 3, 300), fc.constantFrom(2, 3), fc.nat(39), (a, b, z) => {
        const [mine, other] = [labelmapOf(noise(a).map((v, n) => (n % 3 ? v : 255))), labelmapOf(noise(b))];
        const [now, then] = [mine.slice("axial", z).data, other.slice("axial", z).data];
        const on = Array.from(now, (value) => value !== 0 && value !== 255);
        const { marked, added, removed } = sliceFacts(mine, z, null, sparse(other));
        expect({ marked, added, removed }).toEqual({
          marked: on.filter(Boolean).length,
          added: on.filter((is, p) => is && then[p] === 0).length,
          removed: on.filter((is, p) => !is && then[p] !== 0).length,
        });
      }),
      { numRuns: 20 },
    );
  });
});

it("the surface is told of layers that hold something, and their memory goes along", () => {
  const map = labelmapOf(new Uint8Array(SIZE).fill(1, 10 * 35 * 70, 12 * 35 * 70));
  const fields = coarseOf(map, [2, 2, 2], 0, 20);
  expect(fields.map(({ segment, layer, data }) => [segment, layer, data.length])).toEqual([[1, 5, 18 * 35]]);
  expect(buffersIn(fields)).toEqual([fields[0]!.data.buffer]);
});

it("what is let go is empty at once", () => {
  const bytes = new Uint8Array(1000);
  letGo(bytes);
  expect([bytes.length, bytes.buffer.byteLength]).toEqual([0, 0]);
  const more = new Int16Array(10);
  letGo(more);
  expect(more.length).toBe(0);
});

it("the editor keeps the preview until the last slice has come", () => {
  const volume = new Volume([3, 2, 2]);
  const voxels = new Uint8Array(12).fill(4);
  volume.putPreview({ voxels, shape: [3, 2, 2], step: [1, 1, 1], huLo: 0, huStep: 1 });
  volume.slicesArrived(0, 2);
  expect([volume.hasPreview, volume.at(2, 0, 0)]).toEqual([true, 4]);
  volume.slicesArrived(2, 1);
  expect([volume.hasPreview, voxels.length]).toEqual([false, 0]);
});

it("a preview that comes after the last slice is not kept", () => {
  const volume = new Volume([1, 2, 2]);
  volume.slicesArrived(0, 1);
  const voxels = new Uint8Array(4);
  volume.putPreview({ voxels, shape: [1, 2, 2], step: [1, 1, 1], huLo: 0, huStep: 1 });
  expect([volume.hasPreview, voxels.length]).toEqual([false, 0]);
});
