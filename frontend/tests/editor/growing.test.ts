import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { BitVolume } from "../../src/editor/bitvolume";
import { growStroke, writableByGrowing } from "../../src/editor/brushes";
import type { GrowInput, Grown } from "../../src/editor/growing";
import type { GrowParams, Zyx } from "../../src/editor/types";
import { numbers, readNpz, text } from "./npz";
import { inflate, inflateInt16, readVectors } from "./vectors";

interface Case {
  name: string;
  volume: string;
  with_limit: boolean;
  labels_gz: string;
  segment: number;
  overwrite: boolean;
  seed_zyx: Zyx;
  radius_mm: number;
  params: Record<string, unknown>;
  added_gz: string;
  added: number;
  refusal: string | null;
  seed_hu: number;
  lower_hu: number | null;
}

interface Volume {
  shape_zyx: Zyx;
  spacing_mm_zyx: Zyx;
  background_hu: number;
  hu_gz: string;
  limit_gz: string;
}

const ROOT = process.env.VOXLOOP_DATA ?? fileURLToPath(new URL("../../../../shared/data", import.meta.url));
const NODULES = `${ROOT}/brush_vectors`;

function paramsOf(json: Record<string, unknown>): Partial<GrowParams> {
  const names: Record<string, keyof GrowParams> = {
    tolerance: "tolerance",
    seed_mm: "seedMm",
    min_contrast: "minContrast",
    upper_hu: "upperHu",
    smooth_z_max: "smoothZMax",
    open_mm: "openMm",
    close_mm: "closeMm",
    fill: "fill",
    use_limit: "useLimit",
    planar: "planar",
    ceiling: "ceiling",
  };
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [names[name], value]));
}

function limitOf(shape: Zyx, voxels: Uint8Array | null): BitVolume | null {
  if (!voxels) return null;
  const limit = new BitVolume(shape);
  voxels.forEach((inside, n) => {
    const x = n % shape[2],
      row = Math.floor(n / shape[2]);
    if (inside) limit.bits[row * limit.wordsPerRow + (x >>> 5)]! |= 1 << (x & 31);
  });
  return limit;
}

/** The stroke, and the whole volume with 1 where it would set `segment`. */
function strokeOf(
  input: GrowInput,
  segment: number,
  overwrite: boolean,
  seed: Zyx,
  radiusMm: number,
  params: Partial<GrowParams>,
): { grown: Grown; added: Uint8Array } {
  const { runs, grown } = growStroke(input, segment, seed, radiusMm, params, writableByGrowing(segment, overwrite, []));
  const added = new Uint8Array(input.labels.length);
  for (let n = 0; n < runs.count; n++) added.fill(1, runs.start[n], runs.start[n]! + runs.length[n]!);
  return { grown, added };
}

describe("region growing", () => {
  test.skipIf(!existsSync(NODULES))("is exact on real nodules (needs brush_vectors under VOXLOOP_DATA)", () => {
    const files = readdirSync(NODULES)
      .filter((name) => name.endsWith(".npz"))
      .sort();
    expect(files.length).toBeGreaterThanOrEqual(6);
    for (const name of files) {
      const array = readNpz(`${NODULES}/${name}`);
      const shape = array("hu").shape as unknown as Zyx;
      const labels = new Uint8Array(array("hu").bytes.length / 2);
      const [mask, erased] = [array("mask").bytes, array("erased").bytes];
      for (let n = 0; n < labels.length; n++) labels[n] = erased[n] ? 255 : mask[n]!;
      const input = {
        shape,
        spacing: numbers(array("spacing")) as unknown as Zyx,
        hu: new Int16Array(array("hu").bytes.buffer),
        labels,
        limit: limitOf(shape, array("limit").bytes),
        backgroundHu: numbers(array("bg"))[0]!,
      };
      const { grown, added } = strokeOf(
        input,
        1,
        false,
        numbers(array("seed")) as unknown as Zyx,
        numbers(array("radius_mm"))[0]!,
        paramsOf(JSON.parse(text(array("params")))),
      );
      const { box } = grown;
      expect([box.z0, box.z1, box.y0, box.y1, box.x0, box.x1], name).toEqual(numbers(array("box")));
      expect(grown.seedHu, name).toBe(numbers(array("expected_seed_hu"))[0]);
      expect(grown.refusal === null, name).toBe(text(array("expected_why")) === "");
      expect(Buffer.compare(added, array("expected_add").bytes), name).toBe(0);
    }
  });

  const { cases, volumes } = readVectors<{ cases: Case[]; volumes: Record<string, Volume> }>("growing.json");
  test.each(cases)("$name", (c) => {
    const volume = volumes[c.volume]!;
    const shape = volume.shape_zyx,
      labels = inflate(c.labels_gz);
    const input = {
      shape,
      spacing: volume.spacing_mm_zyx,
      hu: inflateInt16(volume.hu_gz),
      labels,
      limit: limitOf(shape, c.with_limit ? inflate(volume.limit_gz) : null),
      backgroundHu: volume.background_hu,
    };
    const { grown, added: got } = strokeOf(input, c.segment, c.overwrite, c.seed_zyx, c.radius_mm, paramsOf(c.params));
    expect([grown.refusal, grown.seedHu, grown.lowerHu]).toEqual([c.refusal, c.seed_hu, c.lower_hu]);
    expect(got.reduce((sum, bit) => sum + bit, 0)).toBe(c.added);
    expect(Buffer.compare(got, inflate(c.added_gz))).toBe(0);
  });
});
