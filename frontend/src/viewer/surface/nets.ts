/**
 * Surface nets: one vertex in every cube of the grid that the surface crosses, in the middle of the crossings, joined
 * over every crossed edge. Smoother than marching cubes on a blurred mask, and half the triangles.
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
      const position = Math.floor(at / stride) % count;
      to[at] =
        0.5 * from[at]! +
        0.25 * ((position > 0 ? from[at - stride]! : 0) + (position + 1 < count ? from[at + stride]! : 0));
    }
    [from, to] = [to, from === data ? new Float32Array(data.length) : from];
  }
  return { size, data: from };
}

/** The edges of a cube, two corners each. Corner n: bit 0 = x, bit 1 = y, bit 2 = z. */
const EDGES = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 0, 2, 1, 3, 4, 6, 5, 7, 0, 4, 1, 5, 2, 6, 3, 7);

/**
 * The surface where the field passes `iso`, for the edges that begin in layers `first` <= z < `end`: layers of
 * neighbouring calls fit together without a seam. `mm` is the size of a block, xyz.
 */
export function netOf(
  field: Field,
  iso: number,
  mm: readonly [number, number, number],
  first = 0,
  end = field.size[0],
): Mesh {
  const net = new Net(field, iso, mm);
  for (let z = Math.max(0, first - 1); z < Math.min(field.size[0], end); z++) {
    net.addVertices(z);
    if (z >= Math.max(1, first)) net.addFaces(z);
  }
  return net.mesh();
}

/** Numbers under way: lists of plain numbers would be kept one by one on the heap. */
class Numbers<T extends Float32Array | Uint32Array> {
  #count = 0;
  #room: T;

  constructor(private readonly make: (length: number) => T) {
    this.#room = make(3 << 10);
  }

  get count(): number {
    return this.#count;
  }

  push(a: number, b: number, c: number): void {
    if (this.#count + 3 > this.#room.length) {
      const wider = this.make(2 * this.#room.length);
      wider.set(this.#room);
      this.#room = wider;
    }
    this.#room[this.#count] = a;
    this.#room[this.#count + 1] = b;
    this.#room[this.#count + 2] = c;
    this.#count += 3;
  }

  all(): T {
    return this.#room.slice(0, this.#count) as T;
  }
}

const floats = (length: number): Float32Array => new Float32Array(length);
const words = (length: number): Uint32Array => new Uint32Array(length);

/** A surface under way, layer by layer. Cubes are named by the number of their first corner within a layer. */
class Net {
  readonly #positions = new Numbers(floats);
  readonly #normals = new Numbers(floats);
  readonly #triangles = new Numbers(words);
  /** The vertex in each cube of the layer before and of this one; −1: none. */
  #before: Int32Array;
  #here: Int32Array;
  readonly #corners = new Float32Array(8);

  constructor(
    private readonly field: Field,
    private readonly iso: number,
    private readonly mm: readonly [number, number, number],
  ) {
    const [, ny, nx] = field.size;
    this.#before = new Int32Array(ny * nx).fill(-1);
    this.#here = new Int32Array(ny * nx).fill(-1);
  }

  /** The vertices of the cubes from layer z to the next. */
  addVertices(z: number): void {
    const {
      size: [nz, ny, nx],
      data,
    } = this.field;
    [this.#before, this.#here] = [this.#here, this.#before.fill(-1)];
    if (z >= nz - 1) return;
    const area = nx * ny;
    const corners = this.#corners;
    const offsets = [0, 1, nx, nx + 1, area, area + 1, area + nx, area + nx + 1];
    for (let y = 0; y < ny - 1; y++)
      for (let x = 0, cube = y * nx, at = z * area + cube; x < nx - 1; x++, cube++, at++) {
        let inside = 0;
        for (let n = 0; n < 8; n++) {
          const corner = data[at + offsets[n]!]!;
          corners[n] = corner;
          if (corner >= this.iso) inside |= 1 << n;
        }
        if (inside !== 0 && inside !== 255) this.#vertex(cube, x, y, z, inside);
      }
  }

  /** The vertex of the cube at (x, y, z), of whose corners those of the bits of `inside` lie inside. */
  #vertex(cube: number, x: number, y: number, z: number, inside: number): void {
    const corners = this.#corners;
    let px = 0,
      py = 0,
      pz = 0,
      crossings = 0;
    for (let n = 0; n < EDGES.length; n += 2) {
      const a = EDGES[n]!,
        b = EDGES[n + 1]!;
      if (((inside >> a) & 1) === ((inside >> b) & 1)) continue;
      const share = (this.iso - corners[a]!) / (corners[b]! - corners[a]!);
      px += (a & 1) + ((b & 1) - (a & 1)) * share;
      py += ((a >> 1) & 1) + (((b >> 1) & 1) - ((a >> 1) & 1)) * share;
      pz += (a >> 2) + ((b >> 2) - (a >> 2)) * share;
      crossings++;
    }
    this.#here[cube] = this.#positions.count / 3;
    this.#positions.push(x + px / crossings, y + py / crossings, z + pz / crossings);
    this.#pushNormal();
  }

  /** Downhill: out of the segment. */
  #pushNormal(): void {
    const corners = this.#corners;
    const [mx, my, mz] = this.mm;
    let gx = 0,
      gy = 0,
      gz = 0;
    for (let n = 0; n < 8; n++) {
      gx += n & 1 ? -corners[n]! : corners[n]!;
      gy += n & 2 ? -corners[n]! : corners[n]!;
      gz += n & 4 ? -corners[n]! : corners[n]!;
    }
    gx /= mx;
    gy /= my;
    gz /= mz;
    const length = Math.sqrt(gx * gx + gy * gy + gz * gz) || 1;
    this.#normals.push(gx / length, gy / length, gz / length);
  }

  /** The faces over the crossed edges that begin in layer z. */
  addFaces(z: number): void {
    const {
      size: [nz, ny, nx],
      data,
    } = this.field;
    const { iso } = this;
    const area = nx * ny,
      before = this.#before,
      here = this.#here;
    for (let y = 1; y < ny; y++)
      for (let x = 1, cube = y * nx + 1, at = z * area + cube; x < nx; x++, cube++, at++) {
        const isIn = data[at]! >= iso;
        if (x + 1 < nx && isIn !== data[at + 1]! >= iso)
          this.#quad(before[cube - nx]!, before[cube]!, here[cube]!, here[cube - nx]!, !isIn);
        if (y + 1 < ny && isIn !== data[at + nx]! >= iso)
          this.#quad(before[cube - 1]!, here[cube - 1]!, here[cube]!, before[cube]!, !isIn);
        if (z + 1 < nz && isIn !== data[at + area]! >= iso)
          this.#quad(here[cube - nx - 1]!, here[cube - nx]!, here[cube]!, here[cube - 1]!, !isIn);
      }
  }

  /** A crossed edge joins the vertices of the four cubes round it. */
  #quad(p: number, q: number, r: number, s: number, flip: boolean): void {
    if (p < 0 || q < 0 || r < 0 || s < 0) return;
    if (flip) {
      this.#triangles.push(p, r, q);
      this.#triangles.push(p, s, r);
    } else {
      this.#triangles.push(p, q, r);
      this.#triangles.push(p, r, s);
    }
  }

  mesh(): Mesh {
    return {
      positions: this.#positions.all(),
      normals: this.#normals.all(),
      triangles: this.#triangles.all(),
    };
  }
}
