/** Another scan of the same subject, shown beside the one under work: its voxels, its approved mask, and where it is looked at. */

import { computed, signal } from "@preact/signals";
import { decodeMessage } from "../editor/message";
import { SparseMask } from "../editor/labelmap";
import { call, fetchBytes } from "./api";
import type { PriorSource } from "./context";
import { lpsOf, PaneGeometry, type GridGeometry } from "./image/geometry";
import { presetsOf, type Window } from "./image/window";
import { Decoder } from "./load/decoder";
import { SliceStream } from "./load/stream";
import { fillVolume, sketchVolume } from "./load/preview";
import type { Volume, VolumeIndex } from "./load/volume";
import type { Session } from "./session";

const MASK_TYPE = "application/vnd.voxloop.mask";

/** Index in a grid of the axial slice through a point (mm in LPS); the grid's axes stand at right angles. */
export function sliceAt(geometry: GridGeometry, point: readonly number[]): number {
  const axis = [0, 1, 2].map((row) => geometry.lpsFromIjk[row][2]);
  const length = axis.reduce((sum, v) => sum + v * v, 0);
  return [0, 1, 2].reduce((sum, row) => sum + (point[row] - geometry.lpsFromIjk[row][3]) * axis[row], 0) / length;
}

export class Prior {
  readonly volume = signal<Volume | null>(null);
  readonly fullSlices = signal(0);
  readonly failure = signal<string | null>(null);
  readonly window = signal<Window>({ level: 0, width: 1 });
  /** Scrolls with the scan under work, `shift` mm apart along the body. */
  readonly linked = signal(true);
  readonly #shift = signal(0);
  readonly #own = signal(0);
  geometry!: GridGeometry;
  pane!: PaneGeometry;
  index!: VolumeIndex;
  mask: SparseMask | null = null;
  #stream: SliceStream | null = null;
  #decoder: Decoder | null = null;

  /** The slice to show. */
  readonly slice = computed(() => {
    if (!this.volume.value) return 0;
    return this.linked.value ? this.#clamp(Math.round(this.#opposite() + this.#shift.value)) : this.#own.value;
  });

  constructor(readonly source: PriorSource, private readonly session: Session) {}

  /** Load preview, mask and slices; never rejects. */
  async open(): Promise<void> {
    try {
      const index = this.index = await call<VolumeIndex>("GET", this.source.volume);
      const { preview, shape_zyx: shape } = index;
      this.geometry = { shapeZyx: shape, spacingMmZyx: index.spacing_mm_zyx, lpsFromIjk: index.lps_from_ijk };
      this.pane = new PaneGeometry("axial", this.geometry);
      const [first] = presetsOf(index);
      this.window.value = { level: first.level, width: first.width };
      this.#decoder = new Decoder(1);
      const { volume, preview: sketched } = await sketchVolume(index, await fetchBytes(preview.url), this.#decoder);
      void fillVolume(volume, sketched, this.#decoder);
      if (this.source.mask) this.mask = new SparseMask(await decodeMessage(await fetchBytes(this.source.mask, { headers: { Accept: MASK_TYPE } }), shape));
      this.volume.value = volume;
      this.#stream = new SliceStream(index, this.#decoder, (z0, slices) => { volume.put(z0, slices); this.fullSlices.value = volume.fullCount; }, () => undefined);
      this.#stream.focus = this.slice.value;
      await this.#stream.start();
      this.#decoder.close();
    } catch (error) {
      this.failure.value = error instanceof Error ? error.message : String(error);
    }
  }

  #clamp(slice: number): number { return Math.min(Math.max(slice, 0), this.geometry.shapeZyx[0] - 1); }

  /** Where the crosshair of the scan under work lies in this grid, as a slice. */
  #opposite(): number { return sliceAt(this.geometry, lpsOf(this.session.geometry, this.session.cross.value)); }

  /** Scroll this scan alone: while linked, the two then stay as far apart as they are. */
  scroll(slices: number): void {
    const to = this.#clamp(this.slice.value + slices);
    if (this.linked.value) this.#shift.value = to - this.#opposite();
    else this.#own.value = to;
    if (this.#stream) this.#stream.focus = to;
  }

  /** Link at the slices that are side by side now, or let go. */
  toggleLink(): void {
    const now = this.slice.value;
    if (this.linked.value) this.#own.value = now;
    else this.#shift.value = now - this.#opposite();
    this.linked.value = !this.linked.value;
  }

  close(): void {
    this.#stream?.stop();
    this.#decoder?.close();
  }
}
