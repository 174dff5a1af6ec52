/** The smallest box around voxels that come as stretches within rows. */

import type { Box, Zyx } from "./types";

export class Extent {
  z0 = Infinity;
  z1 = -1;
  y0 = Infinity;
  y1 = -1;
  x0 = Infinity;
  x1 = -1;

  /** `shape` is that of the grid, into which `start` of a stretch counts. */
  constructor(private readonly shape: Zyx) {}

  add(start: number, length: number): void {
    const [, ny, nx] = this.shape;
    const row = Math.floor(start / nx),
      x = start - row * nx,
      y = row % ny,
      z = Math.floor(row / ny);
    this.z0 = Math.min(this.z0, z);
    this.z1 = Math.max(this.z1, z + 1);
    this.y0 = Math.min(this.y0, y);
    this.y1 = Math.max(this.y1, y + 1);
    this.x0 = Math.min(this.x0, x);
    this.x1 = Math.max(this.x1, x + length);
  }

  /** The box, wider by `room` (z, y, x) on each side, within the grid. */
  box([rz, ry, rx]: Zyx = [0, 0, 0]): Box {
    const [nz, ny, nx] = this.shape;
    return {
      z0: Math.max(0, this.z0 - rz),
      z1: Math.min(nz, this.z1 + rz),
      y0: Math.max(0, this.y0 - ry),
      y1: Math.min(ny, this.y1 + ry),
      x0: Math.max(0, this.x0 - rx),
      x1: Math.min(nx, this.x1 + rx),
    };
  }
}
