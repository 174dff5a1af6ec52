/**
 * Surface nets: one vertex in every cube of the grid that the surface crosses, in the middle of the crossings, joined over every
 * crossed edge. Smoother than marching cubes on a blurred mask, and half the triangles.
 */

/** Vertices x, y, z in blocks (the middle of block n is at n), outward normals in mm, three vertices a triangle. */
export interface Mesh {
  readonly positions: Float32Array;
  readonly normals: Float32Array;
  readonly triangles: Uint32Array;
}

/** A scalar field on blocks, z slowest. */
export interface Field {
  readonly size: readonly [number, number, number];
  readonly data: Float32Array;
}

/** Blurs by 1-2-1 along each axis; beyond the edges the field is 0. */
export function blur({ size, data }: Field): Field {
  let from: Float32Array = data,
    to: Float32Array = new Float32Array(data.length);
  const [nz, ny, nx] = size;
  for (const [count, stride] of [
    [nx, 1],
    [ny, nx],
    [nz, nx * ny],
  ] as const) {
    for (let at = 0; at < from.length; at++) {
      const place = Math.floor(at / stride) % count;
      to[at] =
        0.5 * from[at] + 0.25 * ((place > 0 ? from[at - stride] : 0) + (place + 1 < count ? from[at + stride] : 0));
    }
    [from, to] = [to, from === data ? new Float32Array(data.length) : from];
  }
  return { size, data: from };
}

/** Corner n of a cube: bit 0 = x, bit 1 = y, bit 2 = z. */
const EDGES = [
  [0, 1],
  [2, 3],
  [4, 5],
  [6, 7],
  [0, 2],
  [1, 3],
  [4, 6],
  [5, 7],
  [0, 4],
  [1, 5],
  [2, 6],
  [3, 7],
] as const;

/**
 * The surface where the field passes `iso`, for the edges that begin in layers `first` <= z < `end`: layers of neighbouring calls
 * fit together without a seam. `mm` is the size of a block, xyz.
 */
export function netOf(
  { size: [nz, ny, nx], data }: Field,
  iso: number,
  mm: readonly [number, number, number],
  first = 0,
  end = nz,
): Mesh {
  const positions: number[] = [],
    normals: number[] = [],
    triangles: number[] = [];
  const area = nx * ny;
  const vertexOf = new Map<number, number>();
  const corners = new Float32Array(8);
  const offsets = [0, 1, nx, nx + 1, area, area + 1, area + nx, area + nx + 1];
  for (let z = Math.max(0, first - 1); z < Math.min(nz - 1, end); z++)
    for (let y = 0; y < ny - 1; y++) {
      for (let x = 0, at = z * area + y * nx; x < nx - 1; x++, at++) {
        let inside = 0;
        for (let n = 0; n < 8; n++) if ((corners[n] = data[at + offsets[n]]) >= iso) inside |= 1 << n;
        if (inside === 0 || inside === 255) continue;
        let px = 0,
          py = 0,
          pz = 0,
          crossings = 0;
        for (const [a, b] of EDGES) {
          if (((inside >> a) & 1) === ((inside >> b) & 1)) continue;
          const share = (iso - corners[a]) / (corners[b] - corners[a]);
          px += (a & 1) + ((b & 1) - (a & 1)) * share;
          py += ((a >> 1) & 1) + (((b >> 1) & 1) - ((a >> 1) & 1)) * share;
          pz += (a >> 2) + ((b >> 2) - (a >> 2)) * share;
          crossings++;
        }
        vertexOf.set(at, positions.length / 3);
        positions.push(x + px / crossings, y + py / crossings, z + pz / crossings);
        // Downhill: out of the segment.
        let gx = 0,
          gy = 0,
          gz = 0;
        for (let n = 0; n < 8; n++) {
          gx += n & 1 ? -corners[n] : corners[n];
          gy += n & 2 ? -corners[n] : corners[n];
          gz += n & 4 ? -corners[n] : corners[n];
        }
        const length = Math.hypot(gx / mm[0], gy / mm[1], gz / mm[2]) || 1;
        normals.push(gx / mm[0] / length, gy / mm[1] / length, gz / mm[2] / length);
      }
    }
  // Every crossed edge joins the four cubes round it.
  const quad = (a: number, b: number, c: number, d: number, flip: boolean) => {
    const [p, q, r, s] = [a, b, c, d].map((cube) => vertexOf.get(cube));
    if (p === undefined || q === undefined || r === undefined || s === undefined) return;
    if (flip) triangles.push(p, r, q, p, s, r);
    else triangles.push(p, q, r, p, r, s);
  };
  for (let z = Math.max(1, first); z < Math.min(nz, end); z++)
    for (let y = 1; y < ny; y++) {
      for (let x = 1, at = z * area + y * nx + 1; x < nx; x++, at++) {
        const here = data[at] >= iso;
        if (x + 1 < nx && here !== data[at + 1] >= iso) quad(at - area - nx, at - area, at, at - nx, !here);
        if (y + 1 < ny && here !== data[at + nx] >= iso) quad(at - area - 1, at - 1, at, at - area, !here);
        if (z + 1 < nz && here !== data[at + area] >= iso) quad(at - nx - 1, at - nx, at, at - 1, !here);
      }
    }
  return {
    positions: new Float32Array(positions),
    normals: new Float32Array(normals),
    triangles: new Uint32Array(triangles),
  };
}
