/** From the bytes of a preview to a volume that can be looked at, at once, and whose slices fill up behind. */

import { letGo } from "../editor/handover";
import type { Decoder } from "./decoder";
import type { Preview } from "./enlarge";
import { offsetOf, Volume } from "./volume";
import type { VolumeIndex } from "../ground/contract";

/** Slices made at a time: a few hundredths of a second of a worker that also decodes what arrives. */
const BLOCK = 16;

/** The volume, drawn from the preview; it can be painted on every plane. `room` is where its voxels shall lie. */
export async function sketchVolume(
  index: VolumeIndex,
  bytes: Uint8Array,
  decoder: Decoder,
  room?: Int16Array,
): Promise<{ volume: Volume; preview: Preview }> {
  const { preview } = index;
  const offset = offsetOf(index);
  const [depth, rows, columns] = preview.shape_zyx;
  const voxels = preview.lengths?.length
    ? await decodeHalves(decoder, bytes, preview.lengths, (depth * rows * columns) / preview.lengths.length)
    : await decoder.inflate(bytes);
  const found: Preview = {
    voxels,
    from: preview.shape_zyx,
    step: preview.step_zyx,
    huLo: preview.hu_lo - offset,
    huStep: preview.hu_step,
  };
  return { volume: new Volume(index, found, room), preview: found };
}

/** The values of a coded preview, half of them by each worker. `voxels` are those of one codestream. */
async function decodeHalves(
  decoder: Decoder,
  bytes: Uint8Array,
  lengths: readonly number[],
  voxels: number,
): Promise<Uint8Array> {
  const middle = lengths.length >> 1;
  const at = lengths.slice(0, middle).reduce((sum, length) => sum + length, 0);
  const halves = await Promise.all([
    decoder.decodePreview(bytes.slice(0, at), lengths.slice(0, middle), voxels),
    decoder.decodePreview(bytes.slice(at), lengths.slice(middle), voxels),
  ]);
  const out = new Uint8Array(lengths.length * voxels);
  out.set(halves[0]);
  out.set(halves[1], halves[0].length);
  halves.forEach(letGo);
  return out;
}

/**
 * Put the preview into every slice that is not there yet, from the middle outwards: slabs, oblique planes and graphics
 * cards read whole volumes.
 */
export async function fillVolume(volume: Volume, preview: Preview, decoder: Decoder): Promise<void> {
  const [depth] = volume.shapeZyx;
  const starts = Array.from({ length: Math.ceil(depth / BLOCK) }, (_, n) => n * BLOCK);
  starts.sort((a, b) => Math.abs(2 * a + BLOCK - depth) - Math.abs(2 * b + BLOCK - depth));
  const lane = async (): Promise<void> => {
    for (let z0 = starts.shift(); z0 !== undefined; z0 = starts.shift()) {
      const z1 = Math.min(z0 + BLOCK, depth);
      if (volume.known.subarray(z0, z1).every((known) => known)) continue;
      volume.fill(z0, await decoder.enlarge(preview, volume.shapeZyx, z0, z1));
    }
  };
  await Promise.all([lane(), lane()]);
}
