import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { disagreementsOf, takeTheirs } from "../../src/editor/disagreement";
import { RunBuilder } from "../../src/editor/runs";
import type { Zyx } from "../../src/editor/types";

const SHAPE: Zyx = [4, 6, 7];
const [NZ, NY, NX] = SHAPE;

/** Parts by flooding, 26-connected: which part each differing voxel belongs to. */
function flooded(differs: readonly boolean[]): Map<number, number> {
  const part = new Map<number, number>();
  let count = 0;
  differs.forEach((isOn, seed) => {
    if (!isOn || part.has(seed)) return;
    const open = [seed];
    part.set(seed, count);
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const x = at % NX,
        y = Math.floor(at / NX) % NY,
        z = Math.floor(at / NX / NY);
      for (let dz = -1; dz <= 1; dz++)
        for (let dy = -1; dy <= 1; dy++)
          for (let dx = -1; dx <= 1; dx++) {
            const [u, v, w] = [x + dx, y + dy, z + dz];
            if (u < 0 || v < 0 || w < 0 || u >= NX || v >= NY || w >= NZ) continue;
            const next = (w * NY + v) * NX + u;
            if (differs[next] && !part.has(next)) {
              part.set(next, count);
              open.push(next);
            }
          }
    }
    count++;
  });
  return part;
}

describe("regions of disagreement", () => {
  test("are the connected parts, and taking some of them changes exactly these", () => {
    const volume = NZ * NY * NX;
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: volume, maxLength: volume }),
        fc.integer({ min: 2, max: 9 }),
        fc.infiniteStream(fc.boolean()),
        (noise, sparse, coins) => {
          const mine = Uint8Array.from(noise, (n) => n % 3),
            theirs = Uint8Array.from(noise, (n, at) => (n >= sparse ? (n + 1 + (at & 1)) % 3 : n % 3));
          const out = new RunBuilder();
          for (let at = 0; at < volume; at++) out.push(at, 1, mine[at]!, theirs[at]!);
          const runs = out.build();
          const part = flooded([...mine].map((label, at) => label !== theirs[at]));
          const regions = disagreementsOf(runs, SHAPE, 0.5);
          const sizes = new Map<number, number>();
          for (const name of part.values()) sizes.set(name, (sizes.get(name) ?? 0) + 1);
          expect(regions.map(({ voxels }) => voxels)).toEqual(
            [...sizes.keys()].sort((a, b) => a - b).map((name) => sizes.get(name)),
          );
          const chosen = regions.map(() => coins.next().value as boolean);
          const labels = mine.slice();
          const taken = takeTheirs(runs, SHAPE, (region) => chosen[region]!, labels);
          for (let n = 0; n < taken.count; n++)
            labels.fill(taken.after[n]!, taken.start[n], taken.start[n]! + taken.length[n]!);
          labels.forEach((label, at) =>
            expect(label).toBe(part.has(at) && chosen[part.get(at)!] ? theirs[at] : mine[at]),
          );
          for (const region of regions)
            expect(
              region.ijk.every(
                (value, axis) =>
                  value >= [region.box.x0, region.box.y0, region.box.z0][axis]! &&
                  value < [region.box.x1, region.box.y1, region.box.z1][axis]!,
              ),
            ).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});
