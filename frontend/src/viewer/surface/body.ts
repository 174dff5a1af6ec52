/** The 3D pane's worker: fed with what changes of the mask, told how to draw, asked what is seen. */

import type { EditorClient } from "../../editor/client";
import { type Box, perAxis } from "../../editor/types";
import type { GridGeometry } from "../geometry/grid";
import { gridOf, type Grid } from "./model";
import type { Scene3D, SurfaceReply, SurfaceRequest } from "./surface.worker";
import { dot, type Vector } from "../geometry/oblique";

/** Edge of a block in mm: of the mask, and of the lungs, of which only the shape is wanted. */
const MASK_MM = 1.4,
  LUNGS_MM = 3;
const REBUILD_MS = 200;

export class SurfaceBody {
  readonly #worker = new Worker(new URL("./surface.worker.ts", import.meta.url), { type: "module", name: "surface" });
  readonly #mask: Grid;
  readonly #lungs: Grid;
  readonly #waiting = new Map<number, (point: Vector | null) => void>();
  #next = 0;
  #from = Infinity;
  #to = 0;
  #timer = 0;
  #isAwake = false;

  /**
   * `drawn` hears of every picture: triangles of the mask, milliseconds that it took; `failed`, that the script of the
   * worker did not come. The canvas is of no use then.
   */
  constructor(
    canvas: OffscreenCanvas,
    private readonly geometry: GridGeometry,
    private readonly editor: EditorClient,
    drawn: (triangles: number, milliseconds: number) => void,
    failed: () => void,
  ) {
    this.#worker.onerror = ({ message }) => {
      if (!message) failed();
    };
    this.#mask = gridOf(geometry, Math.max(MASK_MM, Math.min(...geometry.spacingMmZyx)));
    this.#lungs = gridOf(geometry, LUNGS_MM, 2_000_000);
    this.#worker.onmessage = ({ data }: MessageEvent<SurfaceReply>) => {
      if (data.kind === "drawn") {
        drawn(data.triangles, data.milliseconds);
        return;
      }
      this.#waiting.get(data.id)?.(data.point);
      this.#waiting.delete(data.id);
    };
    this.#post({ kind: "start", canvas, mask: this.#mask, lungs: this.#lungs }, [canvas]);
    this.changed({ z0: 0, z1: geometry.shapeZyx[0] });
  }

  #post(request: SurfaceRequest, transfer: Transferable[] = []): void {
    this.#worker.postMessage(request, transfer);
  }

  /** The pane is seen or not: nothing is built for nobody. */
  set awake(is: boolean) {
    this.#isAwake = is;
    if (is) this.#later();
  }

  /** Labels in slices z0 <= z < z1 have changed. */
  changed({ z0, z1 }: Pick<Box, "z0" | "z1">): void {
    const step = this.#mask.step[0];
    this.#from = Math.min(this.#from, Math.floor(z0 / step));
    this.#to = Math.max(this.#to, Math.ceil(z1 / step));
    if (this.#isAwake) this.#later();
  }

  #later(): void {
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#rebuild().catch(() => undefined), REBUILD_MS);
  }

  async #rebuild(): Promise<void> {
    const [from, to] = [this.#from, Math.min(this.#to, this.#mask.size[0])];
    if (from >= to) return;
    [this.#from, this.#to] = [Infinity, 0];
    const fields = await this.editor.coarse(null, this.#mask.step, from, to);
    this.#post(
      { kind: "put", what: "mask", from, to, fields },
      fields.map(({ data }) => data.buffer),
    );
  }

  /** The lung limit has come: a shell round everything. */
  async showLungs(): Promise<void> {
    const to = this.#lungs.size[0];
    const fields = await this.editor.coarse("limit", this.#lungs.step, 0, to);
    this.#post(
      { kind: "put", what: "lungs", from: 0, to, fields },
      fields.map(({ data }) => data.buffer),
    );
  }

  draw(scene: Scene3D): void {
    this.#post({ kind: "draw", scene });
  }

  /** Grid position (continuous ijk) of what is seen at a point of the pane; null for nothing. */
  async pick(x: number, y: number): Promise<[number, number, number] | null> {
    const id = this.#next++;
    const point = await new Promise<Vector | null>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#post({ kind: "pick", id, x, y });
    });
    if (!point) return null;
    const { shapeZyx: shape, spacingMmZyx: spacing, lpsFromIjk: lps } = this.geometry;
    const mm = [spacing[2], spacing[1], spacing[0]] as const,
      size = [shape[2], shape[1], shape[0]] as const;
    return perAxis((axis) => {
      const along = dot(
        perAxis((row) => lps[row][axis] / mm[axis]),
        point,
      );
      return along / mm[axis] + size[axis] / 2;
    });
  }

  close(): void {
    window.clearTimeout(this.#timer);
    this.#worker.terminate();
  }
}
