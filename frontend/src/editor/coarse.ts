/** How much of each block of voxels a segment fills: what the 3D surface is made of. */

import { CHUNK, CHUNK_VOXELS } from "./chunks";
import { Labelmap, type SparseMask } from "./labelmap";
import { ERASED, type CoarseField, type Zyx } from "./types";

/**
 * Fill of the blocks in layers `from` <= z < `to` (blocks), for every segment that is there: 255 = every voxel of the block. Blocks
 * at the volume's far edge are counted by the voxels that they have.
 */
export function coarseOf(mask: Labelmap | SparseMask, step: Zyx, from: number, to: number): CoarseField[] {
  const [nz, ny, nx] = mask.shape;
  const [rows, columns] = [Math.ceil(ny / step[1]), Math.ceil(nx / step[2])];
  const counts = new Map<number, Uint16Array>();
  const scratch = new Uint8Array(CHUNK_VOXELS);
  const [z0, z1] = [from * step[0], Math.min(nz, to * step[0])];
  for (let cz = z0 >> 5; cz * CHUNK < z1; cz++)
    for (let cy = 0; cy * CHUNK < ny; cy++)
      for (let cx = 0; cx * CHUNK < nx; cx++) {
        const voxels = chunkOf(mask, [cz, cy, cx], scratch);
        if (!voxels) continue;
        for (let z = Math.max(z0, cz * CHUNK); z < Math.min(z1, (cz + 1) * CHUNK); z++) {
          const layer = (Math.floor(z / step[0]) - from) * rows;
          for (let y = cy * CHUNK; y < Math.min(ny, (cy + 1) * CHUNK); y++) {
            const row = (layer + Math.floor(y / step[1])) * columns;
            for (
              let x = cx * CHUNK, at = ((z & 31) * CHUNK + (y & 31)) * CHUNK;
              x < Math.min(nx, (cx + 1) * CHUNK);
              x++, at++
            ) {
              const label = voxels[at];
              if (!label || label === ERASED) continue;
              let count = counts.get(label);
              if (!count) counts.set(label, (count = new Uint16Array((to - from) * rows * columns)));
              count[row + Math.floor(x / step[2])]++;
            }
          }
        }
      }
  return [...counts].map(([segment, count]) => ({
    segment,
    data: shares(count, mask.shape, step, from, to, rows, columns),
  }));
}

function chunkOf(mask: Labelmap | SparseMask, index: Zyx, scratch: Uint8Array): Uint8Array | null {
  if (!(mask instanceof Labelmap)) return mask.chunkAt(index);
  return mask.occupied[mask.chunkNumber(index)] ? mask.readChunk(index, scratch) : null;
}

function shares(
  count: Uint16Array,
  [nz, ny, nx]: Zyx,
  step: Zyx,
  from: number,
  to: number,
  rows: number,
  columns: number,
): Uint8Array {
  const data = new Uint8Array(count.length);
  const size = (n: number, place: number, of: number) => Math.min(of, n - place * of);
  for (let z = from, at = 0; z < to; z++)
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < columns; x++, at++) {
        if (count[at])
          data[at] = Math.round(
            (count[at] * 255) / (size(nz, z, step[0]) * size(ny, y, step[1]) * size(nx, x, step[2])),
          );
      }
  return data;
}
