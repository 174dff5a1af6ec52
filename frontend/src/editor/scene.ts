/**
 * What can be looked at: voxels that have arrived, overlays, the lung limit, and slices, figures and lesions of the
 * mask.
 */

import { amountOf } from "../ground/amount";
import { BitVolume } from "./bitvolume";
import type { Probability } from "./clickradius";
import { Proposals } from "./clicking";
import { coarseOf } from "./coarse";
import type { Component } from "./components";
import { type Cut, cutLabels } from "./cut";
import type { Ground } from "./drawing";
import { planeOf, rectangleOf, voxelsOf } from "./geometry";
import { NORMAL_LUNG_HU } from "./growing";
import { SparseMask } from "./sparsemask";
import { histogramOf, lesionsOf } from "./lesions";
import type { Mask } from "./mask";
import { decodeMessage } from "./message";
import type { ClickGround } from "./operations/click";
import type { Watched } from "./patches";
import { type Standing, fatesOf, partsOf, standingOf } from "./proposed";
import { Regions } from "./regions";
import { sliceFacts } from "./slicefacts";
import type { Emit } from "./surroundings";
import {
  type Beside,
  type Box,
  type CoarseField,
  ERASED,
  type Ijk,
  type Lesion,
  type LesionHistogram,
  type Plane,
  type ProposedLesion,
  type Region,
  type Slice,
  type SliceFacts,
  type SlicePatch,
  type Stats,
  type VolumeMeta,
  type VoxelValue,
  type Zyx,
  perAxis,
} from "./types";
import { Volume, type PreviewVolume } from "./volume";

/** The key under which the lung limit can be looked at like an overlay. */
const LIMIT = "limit";

export class Scene {
  readonly volume: Volume;
  /** The slices on screen: the new labels of the straight ones go out with every change. */
  watched: readonly Watched[] = [];
  #limit: BitVolume | null = null;
  #probability: Probability | null = null;
  readonly #proposals = new Proposals();
  readonly #overlays = new Map<string, SparseMask>();
  /** Of the overlays that were asked for. */
  readonly #regions = new Map<string, Regions>();
  /** Proposed lesions with what never changes of them, by overlay, probability and anatomy. */
  #standing: { readonly of: readonly unknown[]; readonly lesions: readonly Standing[] } | null = null;

  constructor(
    public meta: VolumeMeta,
    private readonly mask: Mask,
    private readonly emit: Emit,
    voxels?: Int16Array,
  ) {
    this.volume = new Volume(meta.shapeZyx, voxels);
  }

  /** What a tool draws on. */
  ground(): Ground {
    return { meta: this.meta, volume: this.volume, labels: this.mask.labels, limit: this.#limit };
  }

  putPreview(preview: PreviewVolume): void {
    // An X-ray has no lung limit to tell what healthy is: its darker quarter stands for it.
    if (this.meta.offset && this.meta.backgroundHu === null)
      this.meta = { ...this.meta, backgroundHu: Math.round(preview.huLo + quarterOf(preview.voxels) * preview.huStep) };
    this.volume.putPreview(preview);
  }

  async putLimit(message: Uint8Array): Promise<void> {
    const shape = this.meta.shapeZyx;
    const limit = new BitVolume(shape);
    await this.putOverlay(LIMIT, message);
    this.overlay(LIMIT).forEachStretch((start, length) => {
      const row = Math.floor(start / shape[2]);
      for (let x = start - row * shape[2], end = x + length; x < end; x++)
        limit.bits[row * limit.wordsPerRow + (x >>> 5)]! |= 1 << (x & 31);
    });
    this.#limit = limit;
    this.#proposals.forget();
  }

  /** Throws when its blocks do not tile the scan. */
  putProbability(map: Probability): void {
    const fits = !perAxis((axis) => Math.ceil(this.meta.shapeZyx[axis] / map.step[axis]) === map.shape[axis]).includes(
      false,
    );
    if (!fits || map.values.length !== voxelsOf(map.shape)) throw new Error("the probability map lies on another grid");
    this.#probability = map;
    this.#proposals.forget();
  }

  /** What click-to-segment works on. */
  clickGround(): Omit<ClickGround, "overlay"> {
    const { shapeZyx: shape, spacingMmZyx: spacing, backgroundHu } = this.meta;
    const { labels } = this.mask;
    return {
      labels,
      proposals: this.#proposals,
      hasSlices: (first, last) => this.volume.hasSlices(first, last),
      input: {
        shape,
        spacing,
        hu: this.volume.hu,
        labels: labels.data,
        limit: this.#limit,
        backgroundHu: backgroundHu ?? NORMAL_LUNG_HU,
        probability: this.#probability,
      },
    };
  }

  async putOverlay(key: string, message: Uint8Array): Promise<void> {
    this.#overlays.set(key, new SparseMask(await decodeMessage(message, this.meta.shapeZyx)));
    this.#regions.delete(key);
  }

  /** Throws where no overlay of this key has come. */
  overlay(key: string): SparseMask {
    const overlay = this.#overlays.get(key);
    if (!overlay) throw new Error(`no overlay ${key}`);
    return overlay;
  }

  sliceOverlay(key: string, plane: Plane, index: number): Slice<Uint8Array> {
    const overlay = this.#overlays.get(key);
    if (overlay) return overlay.slice(plane, index);
    const { width, height } = planeOf(this.meta.shapeZyx, plane);
    return { plane, index, width, height, data: new Uint8Array(width * height) };
  }

  cutOverlay(key: string, cut: Cut): { readonly data: Uint8Array } {
    const overlay = this.#overlays.get(key);
    return {
      data: overlay
        ? cutLabels((z, y, x) => overlay.at(z, y, x), this.meta.shapeZyx, cut)
        : new Uint8Array(cut.width * cut.height),
    };
  }

  valueAt([z, y, x]: Zyx): VoxelValue {
    const { labels } = this.mask;
    const hu = this.volume.at(z, y, x);
    return {
      hu: hu === null ? null : hu + (this.meta.offset ?? 0),
      label: labels.data[labels.indexOf(z, y, x)]!,
      inLimit: this.#limit?.has(z, y, x) ?? false,
    };
  }

  stats(): Stats {
    const { labels } = this.mask;
    const ml = amountOf(1, this.meta.shapeZyx, this.meta.spacingMmZyx);
    const segments = [];
    for (let segment = 1; segment < ERASED; segment++) {
      const voxels = labels.counts[segment]!;
      if (voxels > 0) segments.push({ segment, voxels, ml: voxels * ml });
    }
    return { segments, erasedVoxels: labels.counts[ERASED]! };
  }

  lesions({ model, anatomy }: Beside = { model: null, anatomy: null }): Lesion[] {
    return lesionsOf(
      this.mask.labels,
      this.meta.spacingMmZyx,
      this.volume.hu,
      (z) => this.volume.hasSlices(z, z),
      this.meta.offset ?? 0,
      this.#partsOf(model),
      anatomy === null ? null : (this.#overlays.get(anatomy) ?? null),
    );
  }

  #partsOf(key: string | null): readonly Component[] | null {
    const overlay = key ? this.#overlays.get(key) : undefined;
    return overlay ? partsOf(overlay).parts : null;
  }

  /** The lesions that an overlay proposes, the largest first, and what became of each; none before it has come. */
  proposed(key: string, anatomy: string | null): ProposedLesion[] {
    const overlay = this.#overlays.get(key);
    if (!overlay) return [];
    const { shapeZyx: shape, spacingMmZyx: spacing } = this.meta;
    const lobes = anatomy === null ? null : (this.#overlays.get(anatomy) ?? null);
    const proposed = partsOf(overlay);
    const of = [overlay, this.#probability, lobes];
    if (!this.#standing || this.#standing.of.some((one, n) => one !== of[n])) {
      const lesions = proposed.parts.map((part) => standingOf(part, shape, spacing, this.#probability, lobes));
      this.#standing = { of, lesions };
    }
    const fates = fatesOf(proposed, this.mask.labels, this.mask.accepted.now());
    return this.#standing.lesions.map((lesion, n) => ({ ...lesion, fate: fates[n]! }));
  }

  /** Fill of the blocks of the mask, or of an overlay; see `coarse.ts`. */
  coarse(key: string | null, step: Zyx, from: number, to: number): CoarseField[] {
    const mask = key === null ? this.mask.labels : this.#overlays.get(key);
    return mask ? coarseOf(mask, step, from, to) : [];
  }

  /** Of an axial slice; `against` is the overlay to compare with. */
  sliceFacts(z: number, against: string | null): SliceFacts {
    return sliceFacts(
      this.mask.labels,
      z,
      this.#limit,
      against === null ? null : (this.#overlays.get(against) ?? null),
    );
  }

  histogram(ijk: Ijk): LesionHistogram | null {
    return histogramOf(
      this.mask.labels,
      this.volume.hu,
      this.meta.offset ?? 0,
      this.#limit,
      this.meta.spacingMmZyx,
      ijk,
    );
  }

  regions(key: string): Region[] {
    const overlay = this.#overlays.get(key);
    if (!overlay) return [];
    const regions = this.#regions.get(key) ?? new Regions(overlay, this.mask.labels);
    this.#regions.set(key, regions);
    return regions.figures();
  }

  /** Tells the page which labels have changed. */
  changed(box: Box | null): void {
    if (!box) return;
    this.#proposals.forget();
    for (const regions of this.#regions.values()) regions.touch(box);
    const patches: SlicePatch[] = [];
    for (const { plane, index, cut } of this.watched) {
      const part = cut ? null : rectangleOf(box, plane, index);
      if (part) patches.push(this.mask.labels.patch(plane, index, part));
    }
    // The figures first: the page draws for a while once it has the labels.
    this.emit("stats", this.stats());
    this.emit("changed", { box, patches });
  }

  allChanged(): void {
    const [nz, ny, nx] = this.meta.shapeZyx;
    this.changed({ z0: 0, z1: nz, y0: 0, y1: ny, x0: 0, x1: nx });
  }
}

/** The value below which a quarter of the voxels lie. */
function quarterOf(voxels: Uint8Array): number {
  const counts = new Uint32Array(256);
  for (const value of voxels) counts[value]!++;
  for (let value = 0, sum = 0; value < 256; value++) if ((sum += counts[value]!) * 4 >= voxels.length) return value;
  return 255;
}
