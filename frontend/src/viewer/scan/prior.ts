/**
 * Another scan of the same subject, shown beside the one under work: its voxels, its approved mask, and where it is
 * looked at.
 */

import { computed, signal, type ReadonlySignal } from "@preact/signals";
import { perAxis, type AxisIndex, type Ijk, type Plane } from "../../editor/types";
import { decodeMessage, MEDIA_TYPE } from "../../editor/message";
import { SparseMask } from "../../editor/sparsemask";
import { call, fetchBytes } from "../../ground/api";
import { fetchKept } from "../../load/shelf";
import type * as contract from "../../ground/contract";
import * as shapes from "../../ground/shapes";
import { layoutOf } from "../geometry/layout";
import { lpsOf, type GridGeometry } from "../geometry/grid";
import { dot, type Vector } from "../geometry/oblique";
import { PaneGeometry } from "../geometry/pane";
import { firstWindow, type Window } from "../geometry/window";
import { Decoder } from "../../load/decoder";
import { SliceStream } from "../../load/stream";
import { fillVolume, sketchVolume } from "../../load/preview";
import type { Volume } from "../../load/volume";
import { PLANES, type ScanSession } from "./session";

const NOWHERE: Readonly<Record<Plane, number>> = { axial: 0, coronal: 0, sagittal: 0 };

/** Index along an axis of the grid of the slice through a point (mm in LPS); the grid's axes stand at right angles. */
export function sliceAt(geometry: GridGeometry, point: Vector, across: AxisIndex): number {
  const along = perAxis((row) => geometry.lpsFromIjk[row][across]);
  const from = perAxis((row) => point[row] - geometry.lpsFromIjk[row][3]);
  return dot(from, along) / dot(along, along);
}

export class Prior {
  readonly #volume = signal<Volume | null>(null);
  readonly volume: ReadonlySignal<Volume | null> = this.#volume;
  readonly #fullSlices = signal(0);
  readonly fullSlices: ReadonlySignal<number> = this.#fullSlices;
  readonly #failure = signal<string | null>(null);
  readonly failure: ReadonlySignal<string | null> = this.#failure;
  /** Of its own only where the two cannot have the same (an X-ray beside a CT). */
  readonly #window = signal<Window>({ level: 0, width: 1 });
  /** Goes through the slices with the scan under work. */
  readonly #linked = signal(true);
  readonly linked: ReadonlySignal<boolean> = this.#linked;
  /** Slices by which it stands apart while linked, and the slice where it stands while not. */
  readonly #shift = signal(NOWHERE);
  readonly #own = signal(NOWHERE);
  #geometry: GridGeometry | null = null;
  #panes!: Readonly<Record<Plane, PaneGeometry>>;
  #index: contract.VolumeIndex | null = null;
  #mask: SparseMask | null = null;
  #stream: SliceStream | null = null;
  #decoder: Decoder | null = null;

  /** The plane that shows what the active pane shows: the same by the patient, however the two were stored. */
  readonly plane = computed<Plane>(() => {
    const active = this.session.activePlane.value;
    if (!this.volume.value) return active;
    const { name } = layoutOf(active, this.session.geometry);
    return PLANES.find((plane) => this.#panes[plane].layout.name === name) ?? active;
  });

  /** The slice to show. */
  readonly slice = computed(() => (this.volume.value ? this.#at(this.plane.value) : 0));

  constructor(
    readonly source: contract.Prior,
    private readonly session: ScanSession,
  ) {}

  /** Load preview, mask and slices; never rejects. */
  async open(): Promise<void> {
    try {
      const index = (this.#index = await call("GET", this.source.volume, undefined, shapes.VolumeIndex));
      const { preview, shape_zyx: shape } = index;
      const geometry = { shapeZyx: shape, spacingMmZyx: index.spacing_mm_zyx, lpsFromIjk: index.lps_from_ijk };
      this.#geometry = geometry;
      const pane = (plane: Plane) => new PaneGeometry(plane, geometry);
      this.#panes = { axial: pane("axial"), coronal: pane("coronal"), sagittal: pane("sagittal") };
      const { level, width } = firstWindow(index, this.session.isInLungs);
      this.#window.value = { level, width };
      this.#decoder = new Decoder(1);
      const { volume, preview: sketched } = await sketchVolume(index, await fetchKept(preview.url), this.#decoder);
      void fillVolume(volume, sketched, this.#decoder);
      if (this.source.mask)
        this.#mask = new SparseMask(
          await decodeMessage(await fetchBytes(this.source.mask, { headers: { Accept: MEDIA_TYPE } }), shape),
        );
      this.#volume.value = volume;
      this.#stream = new SliceStream(index, this.#decoder, {
        room: volume.room,
        expect: (z0, count) => volume.expect(z0, count),
        arrived: (z0, count, hu) => {
          volume.put(z0, count, hu);
          this.#fullSlices.value = volume.fullCount;
        },
        trouble: () => undefined,
        lost: (z) => {
          volume.lose(z);
        },
      });
      this.#stream.lookAt(this.#at("axial"));
      await this.#stream.start();
      this.#decoder.close();
    } catch (error) {
      this.#failure.value = error instanceof Error ? error.message : String(error);
    }
  }

  /** The grid of this scan, once its voxels are there. Throws before. */
  get geometry(): GridGeometry {
    if (!this.#geometry) throw new Error("The other scan has not come yet.");
    return this.#geometry;
  }

  /** Its approved mask; null where there is none. */
  get mask(): SparseMask | null {
    return this.#mask;
  }

  get pane(): PaneGeometry {
    return this.#panes[this.plane.value];
  }

  resize(width: number, height: number): void {
    for (const plane of PLANES) this.#panes[plane].resize(width, height);
  }

  /** The window of the scan under work, where the values of the two mean the same. */
  get window(): ReadonlySignal<Window> {
    return this.#index?.modality === "CT" && this.session.index.modality === "CT" ? this.session.window : this.#window;
  }

  get #hasWindow(): boolean {
    return this.#index?.modality !== "CT" || this.session.index.modality !== "CT";
  }

  /** Another window, of both where they have the same. */
  showWindow(window: Window): void {
    if (this.#hasWindow) this.#window.value = window;
    else this.session.showWindow(window);
  }

  #clamp(slice: number, plane: Plane): number {
    return Math.min(Math.max(slice, 0), this.#panes[plane].slices - 1);
  }

  #at(plane: Plane): number {
    return this.linked.value
      ? this.#clamp(Math.round(this.#opposite(plane) + this.#shift.value[plane]), plane)
      : this.#own.value[plane];
  }

  #put(plane: Plane, slice: number): void {
    if (this.linked.value) this.#shift.value = { ...this.#shift.value, [plane]: slice - this.#opposite(plane) };
    else this.#own.value = { ...this.#own.value, [plane]: slice };
  }

  /**
   * Where the crosshair of the scan under work lies in this grid (continuous; the middle of a voxel at a whole number).
   */
  get cross(): Ijk {
    const point = lpsOf(this.session.geometry, this.session.cross.value);
    return [sliceAt(this.geometry, point, 0), sliceAt(this.geometry, point, 1), sliceAt(this.geometry, point, 2)];
  }

  #opposite(plane: Plane): number {
    return this.cross[this.#panes[plane].layout.across];
  }

  /** Scroll this scan alone, down for positive ones: while linked, the two then stay as far apart as they are. */
  scroll(slices: number): void {
    // Down an axial stack goes towards the feet, elsewhere with the index, as in the panes beside.
    const { across, name } = this.pane.layout;
    const sign = name === "Axial" && this.geometry.lpsFromIjk[2][across] > 0 ? -1 : 1;
    const plane = this.plane.value;
    this.#put(plane, this.#clamp(this.slice.value + slices * sign, plane));
    this.#stream?.lookAt(this.#at("axial"));
  }

  /** Link at the slices that are side by side now, or let go. */
  toggleLink(): void {
    const now = PLANES.map((plane) => [plane, this.#at(plane)] as const);
    this.#linked.value = !this.linked.value;
    for (const [plane, slice] of now) this.#put(plane, slice);
  }

  close(): void {
    this.#stream?.stop();
    this.#decoder?.close();
  }
}
