import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Labelmap } from "../../src/editor/labelmap";
import { SparseMask } from "../../src/editor/sparsemask";
import { Regions } from "../../src/editor/regions";
import { RunBuilder } from "../../src/editor/runs";
import type { Region, Zyx } from "../../src/editor/types";

const SHAPE: Zyx = [40, 35, 70];
const SIZE = SHAPE[0] * SHAPE[1] * SHAPE[2];

/** Three regions that meet inside chunks, and a part that is none. */
const lobes = new Uint8Array(SIZE).map((_, n) => [0, 1, 2, 5][Math.floor((n % SHAPE[2]) / 18)]!);

function overlay(): SparseMask {
  const map = new Labelmap(SHAPE);
  const runs = new RunBuilder();
  for (let n = 0; n < SIZE; n++) if (lobes[n]) runs.push(n, 1, 0, lobes[n]!);
  map.apply(runs.build(), new Set());
  return new SparseMask({ layer: "anatomy", shapeZyx: SHAPE, chunks: map.payloads(map.occupiedChunks()), strokes: [] });
}

function counted(labels: Uint8Array): Region[] {
  return [1, 2, 5].map((region) => {
    const taken: Record<number, number> = {};
    let voxels = 0;
    for (let n = 0; n < SIZE; n++) {
      if (lobes[n] !== region) continue;
      voxels++;
      if (labels[n] && labels[n] !== 255) taken[labels[n]!] = (taken[labels[n]!] ?? 0) + 1;
    }
    return { region, voxels, taken };
  });
}

describe("regions", () => {
  it("are what a count of every voxel says, after any strokes", () => {
    const lengths = fc.array(
      fc.tuple(fc.nat(SIZE - 1), fc.integer({ min: 1, max: 5000 }), fc.constantFrom(0, 1, 2, 255)),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(lengths, (strokes) => {
        const labels = new Labelmap(SHAPE);
        const regions = new Regions(overlay(), labels);
        for (const [start, length, after] of strokes) {
          const runs = new RunBuilder();
          for (let n = start; n < Math.min(SIZE, start + length); n++)
            if (labels.data[n] !== after) runs.push(n, 1, labels.data[n]!, after);
          const box = labels.apply(runs.build(), new Set());
          if (box) regions.touch(box);
          expect(regions.figures()).toEqual(counted(labels.data));
        }
      }),
      { numRuns: 15 },
    );
  });
});
