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
  /** The vertices of the body that is drawn; the next one's come over them. */
  #screen = new Float32Array(0);

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
  solid(body: Body, pose: Pose, colour: readonly [number, number, number]): void {
    this.#project(body, pose, false);
    this.#fill(body.triangles, colour);
  }

  /** A thin shell: bright where it is seen edge on. */
  shell(body: Body, pose: Pose): void {
    this.#project(body, pose, true);
    this.#fill(body.triangles, null);
  }

  #project(body: Body, pose: Pose, isShell: boolean): void {
    const size = (body.points.length / 3) * 4;
    if (this.#screen.length < size) this.#screen = new Float32Array(size);
    project(body, pose, this.width, this.height, isShell, this.#screen);
  }

  /** Lay the shells over the surfaces. */
  finish(): void {
    const { colour } = this;
    for (let at = 0; at < colour.length; at++) {
      const fog = this.#fog[at];
      if (!fog) continue;
      const light = (1 - Math.exp(-fog)) * (this.depth[at] === -Infinity ? 200 : 110);
      const word = colour[at]!;
      colour[at] = pixelOf(
        (word & 255) + light * 0.78,
        ((word >> 8) & 255) + light * 0.86,
        ((word >> 16) & 255) + light,
      );
    }
  }

  /**
   * Triangles of a colour, or (null) of a shell. Nothing is called for a pixel: every number handed over would lie on
   * the heap, hundreds of megabytes a second.
   */
  #fill(triangles: Uint32Array, paint: readonly [number, number, number] | null): void {
    const { width, height, colour, depth } = this;
    const fog = this.#fog,
      screen = this.#screen;
    const [r, g, b] = paint ?? [0, 0, 0];
    for (let n = 0; n < triangles.length; n += 3) {
      const i = 4 * triangles[n]!,
        j = 4 * triangles[n + 1]!,
        k = 4 * triangles[n + 2]!;
      const ax = screen[i]!,
        ay = screen[i + 1]!,
        bx = screen[j]!,
        by = screen[j + 1]!,
        cx = screen[k]!,
        cy = screen[k + 1]!;
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
          const at = y * width + x;
          const near = w * screen[i + 2]! + u * screen[j + 2]! + v * screen[k + 2]!,
            shade = w * screen[i + 3]! + u * screen[j + 3]! + v * screen[k + 3]!;
          if (!paint) fog[at]! += near > depth[at]! ? shade : shade * 0.25;
          else if (near > depth[at]!) {
            depth[at] = near;
            colour[at] = pixelOf(r * shade, g * shade, b * shade);
          }
        }
    }
  }
}

/** A colour as the canvas has it (ABGR); what is too bright is cut. */
function pixelOf(r: number, g: number, b: number): number {
  return 0xff000000 | (Math.min(b, 255) << 16) | (Math.min(g, 255) << 8) | Math.min(r, 255);
}

/** x, y, nearness and light of every vertex, into `out`. */
function project(
  { points, normals }: Body,
  pose: Pose,
  width: number,
  height: number,
  isShell: boolean,
  out: Float32Array,
): void {
  const { pxPerMm } = pose;
  const ct = Math.cos(pose.turn),
    st = Math.sin(pose.turn),
    ci = Math.cos(pose.tilt),
    si = Math.sin(pose.tilt);
  for (let n = 0, to = 0; n < points.length; n += 3, to += 4) {
    const l = points[n]!,
      p = points[n + 1]!,
      s = points[n + 2]!;
    // Seen from the front: right of the screen is the patient's left, near is anterior.
    const near = -(l * st + p * ct);
    out[to] = width / 2 + (l * ct - p * st) * pxPerMm;
    out[to + 1] = height / 2 - (s * ci - near * si) * pxPerMm;
    out[to + 2] = near * ci + s * si;
    const up = normals[n + 2]!;
    // How much the normal faces the reader.
    const facing = -(normals[n]! * st + normals[n + 1]! * ct) * ci + up * si;
    out[to + 3] = isShell
      ? 0.05 + 0.55 * (1 - Math.abs(facing)) ** 2.5
      : 0.28 + 0.72 * Math.max(0, facing * 0.85 + up * 0.25);
  }
}

/** Where a point, in mm round the middle, lies on the screen. */
export function screenPointOf(
  point: readonly number[],
  pose: Pose,
  width: number,
  height: number,
): readonly [number, number] {
  const screen = new Float32Array(4);
  const body = { points: new Float32Array(point), normals: new Float32Array(3), triangles: new Uint32Array(0) };
  project(body, pose, width, height, false, screen);
  return [screen[0]!, screen[1]!];
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
