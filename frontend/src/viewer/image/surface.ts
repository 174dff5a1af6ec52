/**
 * The mask in 3D without a graphics card: border voxels of a coarser grid as shaded points with a depth buffer,
 * before a faint cloud of the lungs' border. Orthographic, turned by two angles.
 */

import type { MaskMirror } from "../mirror";

/** Border voxels: middle in mm around the volume's middle (LPS), outward normal, label (0 = lung). */
export interface Surface {
  readonly count: number;
  readonly points: Float32Array;
  readonly normals: Float32Array;
  readonly labels: Uint8Array;
  /** Half of a voxel's diagonal of the coarser grid, in mm. */
  readonly size: number;
}

const MOST_CELLS = 2_500_000;

/** Coarse grid of any label per cell: a cell holds the largest label in it. */
function coarse(read: (z: number) => Uint8Array | null, shape: readonly number[], step: readonly number[]): { cells: Uint8Array; size: number[] } {
  const size = shape.map((n, axis) => Math.ceil(n / step[axis]) + 2);
  const cells = new Uint8Array(size[0] * size[1] * size[2]);
  for (let z = 0; z < shape[0]; z++) {
    const labels = read(z);
    if (!labels) continue;
    const plane = (Math.floor(z / step[0]) + 1) * size[1] * size[2];
    for (let y = 0; y < shape[1]; y++) {
      const row = plane + (Math.floor(y / step[1]) + 1) * size[2] + 1;
      for (let x = 0, p = y * shape[2]; x < shape[2]; x++, p++) {
        const label = labels[p];
        if (label && label !== 255) cells[row + Math.floor(x / step[2])] = label;
      }
    }
  }
  return { cells, size };
}

export function surfaceOf(
  mirror: MaskMirror, limit: readonly (Uint8Array | null | undefined)[], spacing: readonly number[], lps: readonly (readonly number[])[],
): Surface {
  const shape = mirror.shapeZyx;
  const finest = Math.min(...spacing);
  let mm = Math.max(finest, 1.5);
  const steps = () => spacing.map((s) => Math.max(1, Math.round(mm / s)));
  while (shape.reduce((n, s, axis) => n * Math.ceil(s / steps()[axis]), 1) > MOST_CELLS) mm *= 1.2;
  const step = steps();
  const points: number[] = [], normals: number[] = [], labels: number[] = [];
  const add = (read: (z: number) => Uint8Array | null, fixed: number | null) => {
    const { cells, size } = coarse(read, shape, step);
    const area = size[1] * size[2];
    for (let z = 1; z < size[0] - 1; z++) for (let y = 1; y < size[1] - 1; y++) {
      for (let x = 1, p = z * area + y * size[2] + 1; x < size[2] - 1; x++, p++) {
        const label = cells[p];
        if (!label) continue;
        const on = (q: number) => (cells[q] ? 1 : 0);
        if (on(p - 1) + on(p + 1) + on(p - size[2]) + on(p + size[2]) + on(p - area) + on(p + area) === 6) continue;
        // Outward normal from the 26 neighbours: smoother than from six.
        let gx = 0, gy = 0, gz = 0;
        for (let dz = -1; dz <= 1; dz++) for (let dy = -1; dy <= 1; dy++) for (let dx = -1; dx <= 1; dx++) {
          if (on(p + dz * area + dy * size[2] + dx)) { gx -= dx; gy -= dy; gz -= dz; }
        }
        const ijk = [(x - 0.5) * step[2] - shape[2] / 2, (y - 0.5) * step[1] - shape[1] / 2, (z - 0.5) * step[0] - shape[0] / 2];
        for (let row = 0; row < 3; row++) {
          points.push(lps[row][0] * ijk[0] + lps[row][1] * ijk[1] + lps[row][2] * ijk[2]);
          normals.push((lps[row][0] / spacing[2]) * gx + (lps[row][1] / spacing[1]) * gy + (lps[row][2] / spacing[0]) * gz);
        }
        labels.push(fixed ?? label);
      }
    }
  };
  if (limit.length) add((z) => limit[z] ?? null, 0);
  add((z) => mirror.labels(z), null);
  return {
    count: labels.length, points: new Float32Array(points), normals: new Float32Array(normals), labels: new Uint8Array(labels),
    size: Math.max(...step.map((s, axis) => s * spacing[axis])),
  };
}

/** Draw into RGBA words. `turn` around the body's axis, `tilt` towards the viewer, both in radians. */
export function drawSurface(
  surface: Surface, out: Uint32Array, width: number, height: number, turn: number, tilt: number, pxPerMm: number, colours: ReadonlyMap<number, string>, hidden: ReadonlySet<number>,
): void {
  out.fill(0xff000000);
  const depth = new Float32Array(width * height).fill(-Infinity);
  const fog = new Float32Array(width * height);
  const [ct, st, ci, si] = [Math.cos(turn), Math.sin(turn), Math.cos(tilt), Math.sin(tilt)];
  const rgb = new Map<number, readonly [number, number, number]>();
  for (const [label, hex] of colours) rgb.set(label, [1, 3, 5].map((n) => parseInt(hex.slice(n, n + 2), 16)) as unknown as [number, number, number]);
  const radius = Math.max(1, Math.ceil((surface.size * pxPerMm) / 2));
  // A point lights (2 · radius)² pixels; together they shall light each pixel about once.
  const part = Math.min(1, (surface.size * pxPerMm) ** 2 / (4 * radius * radius)) * 0.2;
  for (let n = 0; n < surface.count; n++) {
    const label = surface.labels[n];
    if (hidden.has(label)) continue;
    const [l, p, s] = [surface.points[3 * n], surface.points[3 * n + 1], surface.points[3 * n + 2]];
    // Seen from the front: right of the screen is the patient's left, near is anterior.
    const near = -(l * st + p * ct);
    const sx = Math.round(width / 2 + (l * ct - p * st) * pxPerMm);
    const sy = Math.round(height / 2 - (s * ci - near * si) * pxPerMm);
    const towards = near * ci + s * si;
    const [nl, np, ns] = [surface.normals[3 * n], surface.normals[3 * n + 1], surface.normals[3 * n + 2]];
    const length = Math.hypot(nl, np, ns) || 1;
    const nearNormal = (-(nl * st + np * ct) * ci + ns * si) / length;
    if (label === 0) {
      const rim = 1 - Math.abs(nearNormal);
      const light = part * (0.06 + rim ** 3);
      for (let y = Math.max(sy - radius, 0); y <= Math.min(sy + radius - 1, height - 1); y++) {
        for (let x = Math.max(sx - radius, 0), q = y * width + x; x <= Math.min(sx + radius - 1, width - 1); x++, q++) fog[q] += light;
      }
      continue;
    }
    if (nearNormal < -0.35) continue;
    const shade = 0.3 + 0.7 * Math.max(0, nearNormal * 0.85 + (ns / length) * 0.25);
    const [r, g, b] = rgb.get(label) ?? [232, 172, 0];
    const word = 0xff000000 | (Math.min(b * shade, 255) << 16) | (Math.min(g * shade, 255) << 8) | Math.min(r * shade, 255);
    for (let y = Math.max(sy - radius, 0); y <= Math.min(sy + radius, height - 1); y++) {
      for (let x = Math.max(sx - radius, 0), q = y * width + x; x <= Math.min(sx + radius, width - 1); x++, q++) {
        if (towards > depth[q]) { depth[q] = towards; out[q] = word; }
      }
    }
  }
  for (let q = 0; q < out.length; q++) {
    if (!fog[q]) continue;
    const word = out[q];
    const light = (1 - Math.exp(-fog[q])) * (depth[q] === -Infinity ? 150 : 40);
    const [r, g, b] = [(word & 255) + light * 0.8, ((word >> 8) & 255) + light * 0.88, ((word >> 16) & 255) + light];
    out[q] = 0xff000000 | (Math.min(b, 255) << 16) | (Math.min(g, 255) << 8) | Math.min(r, 255);
  }
}
