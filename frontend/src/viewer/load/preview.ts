/** From the bytes of a preview to a volume that can be looked at, at once, and whose slices fill up behind. */

import type { Decoder } from "./decoder";
import type { Preview } from "./enlarge";
import { offsetOf, Volume, type VolumeIndex } from "./volume";

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
  const voxels = await decoder.inflate(bytes);
  const found: Preview = {
    voxels,
    from: preview.shape_zyx,
    step: preview.step_zyx,
    huLo: preview.hu_lo - offset,
    huStep: preview.hu_step,
  };
  return { volume: new Volume(index, found, room), preview: found };
}

/** Put the preview into every slice that is not there yet, from the middle outwards: slabs, oblique planes and graphics cards read whole volumes. */
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
