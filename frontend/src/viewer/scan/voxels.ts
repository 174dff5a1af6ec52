/** The scan's voxels as they come: the preview at once, full slices behind it, nearest to the reader's eyes first. */

import { type ReadonlySignal, signal } from "@preact/signals";
import type { VolumeIndex } from "../../ground/contract";
import { letGo } from "../../editor/handover";
import { t } from "../../ground/language";
import { Decoder } from "../../load/decoder";
import type { Preview } from "../../load/enlarge";
import { fillVolume, sketchVolume } from "../../load/preview";
import { fetchKept } from "../../load/shelf";
import { type Receiver, SliceStream } from "../../load/stream";
import type { Volume } from "../../load/volume";

export class Voxels {
  readonly #volume = signal<Volume | null>(null);
  readonly volume: ReadonlySignal<Volume | null> = this.#volume;
  readonly #fullSlices = signal(0);
  readonly fullSlices: ReadonlySignal<number> = this.#fullSlices;
  readonly #filled = signal(false);
  /** Every slice holds voxels, of the preview or in full. */
  readonly filled: ReadonlySignal<boolean> = this.#filled;
  readonly #trouble = signal<string | null>(null);
  /** Why slices do not come just now, in words. */
  readonly trouble: ReadonlySignal<string | null> = this.#trouble;
  readonly #lostSlices = signal<readonly number[]>([]);
  /** Slices that are damaged, also when asked for again: they are shown as missing. */
  readonly lostSlices: ReadonlySignal<readonly number[]> = this.#lostSlices;
  readonly #decoder = new Decoder();
  #stream: SliceStream | null = null;
  #preview: Preview | null = null;
  #fill: () => Promise<void> = () => Promise.resolve();
  #filling: Promise<void> | null = null;

  /** Fetch the preview. `room` is where the voxels shall lie. */
  async sketch(index: VolumeIndex, room: Int16Array): Promise<{ volume: Volume; preview: Preview }> {
    const found = await sketchVolume(index, await fetchKept(index.preview.url), this.#decoder, room);
    this.#preview = found.preview;
    this.#fill = () => fillVolume(found.volume, found.preview, this.#decoder);
    return found;
  }

  show(volume: Volume): void {
    this.#volume.value = volume;
  }

  /** Let every slice hold voxels, those of the preview at least: whoever reads the volume as a whole asks for it. */
  fill(): Promise<void> {
    this.#filling ??= this.#fill().then(() => {
      this.#filled.value = true;
      return undefined;
    });
    return this.#filling;
  }

  /**
   * Fetch all slices, from `z` outwards; `arrived` hears of whole slices, and gets their HU where they do not lie in
   * shared memory. Rejects when some could not be had.
   */
  async stream(index: VolumeIndex, z: number, arrived: Receiver["arrived"]): Promise<void> {
    const volume = this.#volume.value;
    if (!volume) return;
    this.#stream = new SliceStream(index, this.#decoder, {
      room: volume.room,
      expect: (z0, count) => volume.expect(z0, count),
      arrived: (z0, count, hu) => {
        volume.put(z0, count, hu);
        this.#fullSlices.value = volume.fullCount;
        arrived(z0, count, hu);
      },
      trouble: (why) => {
        this.#trouble.value = why;
      },
      lost: (lost) => {
        volume.lose(lost);
        this.#lostSlices.value = [...new Set([...this.#lostSlices.value, lost])].sort((a, b) => a - b);
        this.#fullSlices.value = volume.fullCount;
      },
    });
    this.#stream.lookAt(z);
    await this.#stream.start();
    // Nothing is left to fill; what that was to be made from goes.
    this.#fill = () => Promise.resolve();
    if (volume.fullCount + volume.lostCount < volume.full.length)
      throw new Error(this.#trouble.value ?? t("Some slices could not be loaded."));
  }

  /** The axial slice that is looked at: its neighbours come first. */
  lookAt(z: number): void {
    this.#stream?.lookAt(z);
  }

  /** Everything has come, or nothing more is wanted. */
  close(): void {
    this.#stream?.stop();
    this.#decoder.close();
    if (this.#preview && this.#volume.value?.hasSketch === false) letGo(this.#preview.voxels);
    this.#preview = null;
  }
}
