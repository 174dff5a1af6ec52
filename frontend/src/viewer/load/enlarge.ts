/**
 * The preview at the size of the scan, trilinear between the centres of its blocks, so that reslices of it
 * look soft instead of tiled and full slices can replace it one by one.
 *
 * `from`, `step` and `to` are zyx: shape of the preview, voxels a block, shape of the scan. Returns HU.
 */
export function enlarge(
  preview: Uint8Array, from: readonly number[], step: readonly number[], to: readonly number[], huLo: number, huStep: number,
): Int16Array {
  const [depth, rows, columns] = to;
  const out = new Int16Array(depth * rows * columns);
  const x = weights(columns, step[2], from[2]);
  const y = weights(rows, step[1], from[1]);
  const z = weights(depth, step[0], from[0]);
  const planes = new Map<number, Float32Array>();
  const plane = (index: number): Float32Array => {
    let found = planes.get(index);
    if (!found) {
      for (const old of planes.keys()) if (old < index - 1) planes.delete(old);
      found = enlargePlane(preview, index * from[1] * from[2], from, x, y, huLo, huStep);
      planes.set(index, found);
    }
    return found;
  };
  const area = rows * columns;
  for (let k = 0; k < depth; k++) {
    const low = plane(z.low[k]);
    const high = plane(z.high[k]);
    const share = z.share[k];
    const start = k * area;
    if (share === 0) for (let p = 0; p < area; p++) out[start + p] = low[p];
    else for (let p = 0; p < area; p++) out[start + p] = low[p] + (high[p] - low[p]) * share;
  }
  return out;
}

interface Weights { readonly low: Int32Array; readonly high: Int32Array; readonly share: Float32Array }

/** For every voxel of an axis: the blocks on both sides of it and the share of the upper one. */
function weights(voxels: number, step: number, blocks: number): Weights {
  const low = new Int32Array(voxels);
  const high = new Int32Array(voxels);
  const share = new Float32Array(voxels);
  for (let v = 0; v < voxels; v++) {
    const place = Math.min(Math.max((v + 0.5) / step - 0.5, 0), blocks - 1);
    low[v] = Math.floor(place);
    high[v] = Math.min(low[v] + 1, blocks - 1);
    share[v] = place - low[v];
  }
  return { low, high, share };
}

function enlargePlane(
  preview: Uint8Array, start: number, from: readonly number[], x: Weights, y: Weights, huLo: number, huStep: number,
): Float32Array {
  const width = from[2];
  const columns = x.low.length;
  const rows = y.low.length;
  const wide = new Float32Array(from[1] * columns);
  for (let j = 0, p = 0; j < from[1]; j++) {
    const row = start + j * width;
    for (let i = 0; i < columns; i++) {
      const low = preview[row + x.low[i]];
      wide[p++] = huLo + huStep * (low + (preview[row + x.high[i]] - low) * x.share[i]);
    }
  }
  const out = new Float32Array(rows * columns);
  for (let j = 0, p = 0; j < rows; j++) {
    const low = y.low[j] * columns;
    const high = y.high[j] * columns;
    const share = y.share[j];
    for (let i = 0; i < columns; i++) out[p++] = wide[low + i] + (wide[high + i] - wide[low + i]) * share;
  }
  return out;
}
