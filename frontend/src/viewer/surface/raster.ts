/** Triangles into pixels without a graphics card: opaque ones by depth, shells as light that adds up. Orthographic. */

/** Vertices in mm round the middle of the body (L, P, S), unit normals. */
export interface Body {
  readonly points: Float32Array;
  readonly normals: Float32Array;
  readonly triangles: Uint32Array;
}

export interface Pose {
  readonly turn: number;
  readonly tilt: number;
  readonly pxPerMm: number;
}

export class Canvas3D {
  readonly colour: Uint32Array;
  readonly depth: Float32Array;
  readonly #fog: Float32Array;

  constructor(
    readonly width: number,
    readonly height: number,
    buffer: ArrayBufferLike,
  ) {
    this.colour = new Uint32Array(buffer);
    this.depth = new Float32Array(width * height);
    this.#fog = new Float32Array(width * height);
  }

  clear(): void {
    this.colour.fill(0xff000000);
    this.depth.fill(-Infinity);
    this.#fog.fill(0);
  }

  /** A lit surface in one colour. */
  solid(body: Body, pose: Pose, [r, g, b]: readonly [number, number, number]): void {
    const screen = project(
      body,
      pose,
      this.width,
      this.height,
      (facing, up) => 0.28 + 0.72 * Math.max(0, facing * 0.85 + up * 0.25),
    );
    this.#fill(body.triangles, screen, (at, depth, shade) => {
      if (depth <= this.depth[at]) return;
      this.depth[at] = depth;
      this.colour[at] =
        0xff000000 | (Math.min(b * shade, 255) << 16) | (Math.min(g * shade, 255) << 8) | Math.min(r * shade, 255);
    });
  }

  /** A thin shell: bright where it is seen edge on. */
  shell(body: Body, pose: Pose): void {
    const screen = project(
      body,
      pose,
      this.width,
      this.height,
      (facing) => 0.05 + 0.55 * (1 - Math.abs(facing)) ** 2.5,
    );
    this.#fill(body.triangles, screen, (at, depth, shade) => {
      this.#fog[at] += depth > this.depth[at] ? shade : shade * 0.25;
    });
  }

  /** Lay the shells over the surfaces. */
  finish(): void {
    const { colour } = this;
    for (let at = 0; at < colour.length; at++) {
      const fog = this.#fog[at];
      if (!fog) continue;
      const light = (1 - Math.exp(-fog)) * (this.depth[at] === -Infinity ? 200 : 110);
      const word = colour[at];
      const [r, g, b] = [(word & 255) + light * 0.78, ((word >> 8) & 255) + light * 0.86, ((word >> 16) & 255) + light];
      colour[at] = 0xff000000 | (Math.min(b, 255) << 16) | (Math.min(g, 255) << 8) | Math.min(r, 255);
    }
  }

  #fill(triangles: Uint32Array, screen: Float32Array, put: (at: number, depth: number, shade: number) => void): void {
    const { width, height } = this;
    for (let n = 0; n < triangles.length; n += 3) {
      const [a, b, c] = [4 * triangles[n], 4 * triangles[n + 1], 4 * triangles[n + 2]];
      const ax = screen[a],
        ay = screen[a + 1],
        bx = screen[b],
        by = screen[b + 1],
        cx = screen[c],
        cy = screen[c + 1];
      const twice = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay);
      if (twice === 0) continue;
      const x0 = Math.max(0, Math.ceil(Math.min(ax, bx, cx) - 0.5)),
        x1 = Math.min(width - 1, Math.floor(Math.max(ax, bx, cx) - 0.5));
      const y0 = Math.max(0, Math.ceil(Math.min(ay, by, cy) - 0.5)),
        y1 = Math.min(height - 1, Math.floor(Math.max(ay, by, cy) - 0.5));
      for (let y = y0; y <= y1; y++)
        for (let x = x0; x <= x1; x++) {
          const px = x + 0.5,
            py = y + 0.5;
          const u = ((px - ax) * (cy - ay) - (cx - ax) * (py - ay)) / twice;
          const v = ((bx - ax) * (py - ay) - (px - ax) * (by - ay)) / twice;
          if (u < 0 || v < 0 || u + v > 1) continue;
          const w = 1 - u - v;
          put(
            y * width + x,
            w * screen[a + 2] + u * screen[b + 2] + v * screen[c + 2],
            w * screen[a + 3] + u * screen[b + 3] + v * screen[c + 3],
          );
        }
    }
  }
}

/** x, y, nearness and light of every vertex. `lightOf` gets how much a normal faces the reader, and how much it looks up. */
function project(
  { points, normals }: Body,
  pose: Pose,
  width: number,
  height: number,
  lightOf: (facing: number, up: number) => number,
): Float32Array {
  const out = new Float32Array((points.length / 3) * 4);
  const [ct, st, ci, si] = [Math.cos(pose.turn), Math.sin(pose.turn), Math.cos(pose.tilt), Math.sin(pose.tilt)];
  for (let n = 0, to = 0; n < points.length; n += 3, to += 4) {
    const l = points[n],
      p = points[n + 1],
      s = points[n + 2];
    // Seen from the front: right of the screen is the patient's left, near is anterior.
    const near = -(l * st + p * ct);
    out[to] = width / 2 + (l * ct - p * st) * pose.pxPerMm;
    out[to + 1] = height / 2 - (s * ci - near * si) * pose.pxPerMm;
    out[to + 2] = near * ci + s * si;
    const nl = normals[n],
      np = normals[n + 1],
      ns = normals[n + 2];
    out[to + 3] = lightOf(-(nl * st + np * ct) * ci + ns * si, ns);
  }
  return out;
}

/** Screen place of a point in mm round the middle. */
export function placeOn(
  point: readonly number[],
  pose: Pose,
  width: number,
  height: number,
): readonly [number, number] {
  const screen = project(
    { points: new Float32Array(point), normals: new Float32Array(3), triangles: new Uint32Array(0) },
    pose,
    width,
    height,
    () => 0,
  );
  return [screen[0], screen[1]];
}

/** The point in mm round the middle that is seen at a pixel with this nearness. */
export function pointAt(
  x: number,
  y: number,
  depth: number,
  pose: Pose,
  width: number,
  height: number,
): readonly [number, number, number] {
  const [ct, st, ci, si] = [Math.cos(pose.turn), Math.sin(pose.turn), Math.cos(pose.tilt), Math.sin(pose.tilt)];
  const across = (x - width / 2) / pose.pxPerMm,
    up = (height / 2 - y) / pose.pxPerMm;
  const near = depth * ci - up * si,
    s = depth * si + up * ci;
  return [across * ct - near * st, -across * st - near * ct, s];
}
