/** The calls of the editor that change nothing: slices, figures and lists of what there is. */

import type { Calls } from "./calls";
import type { Cut } from "./cut";
import { differencesOf, isSameMask } from "./differences";
import type { Mask } from "./mask";
import type { Scene } from "./scene";
import {
  type Beside,
  type CoarseField,
  type Difference,
  type EditorOptions,
  type Ijk,
  type Lesion,
  type LesionHistogram,
  type Plane,
  type ProposedLesion,
  type Region,
  type Slice,
  type SliceFacts,
  type Stats,
  type VoxelValue,
  type Zyx,
  perAxis,
} from "./types";

const zyxOf = ([i, j, k]: Ijk): Zyx => [k, j, i];

type Looks =
  | "sliceLabels"
  | "sliceOverlay"
  | "cutOverlay"
  | "sliceHu"
  | "valueAt"
  | "stats"
  | "regions"
  | "lesions"
  | "proposed"
  | "coarse"
  | "sliceFacts"
  | "histogram"
  | "differences"
  | "equals";

export abstract class Looking implements Pick<Calls, Looks> {
  protected options!: EditorOptions;
  protected mask!: Mask;
  protected scene!: Scene;

  sliceLabels(plane: Plane, index: number): Slice<Uint8Array> {
    return this.mask.labels.slice(plane, index);
  }
  sliceOverlay(key: string, plane: Plane, index: number): Slice<Uint8Array> {
    return this.scene.sliceOverlay(key, plane, index);
  }
  cutOverlay(key: string, cut: Cut): { readonly data: Uint8Array } {
    return this.scene.cutOverlay(key, cut);
  }
  sliceHu(plane: Plane, index: number): Slice<Int16Array> {
    return this.scene.volume.slice(plane, index);
  }
  valueAt(ijk: Ijk): VoxelValue {
    return this.scene.valueAt(this.inside(ijk));
  }
  stats(): Stats {
    return this.scene.stats();
  }
  regions(key: string): Region[] {
    return this.scene.regions(key);
  }
  lesions(beside?: Beside): Lesion[] {
    return this.scene.lesions(beside);
  }
  proposed(key: string, anatomy: string | null): ProposedLesion[] {
    return this.scene.proposed(key, anatomy);
  }
  coarse(key: string | null, step: Zyx, from: number, to: number): CoarseField[] {
    return this.scene.coarse(key, step, from, to);
  }
  sliceFacts(z: number, against: string | null): SliceFacts {
    return this.scene.sliceFacts(z, against);
  }
  histogram(ijk: Ijk): LesionHistogram | null {
    return this.scene.histogram(ijk);
  }
  differences(key: string): Difference[] {
    return differencesOf(this.mask.labels, this.scene.overlay(key), this.options.volume.spacingMmZyx);
  }
  equals(key: string | null): boolean {
    const { labels } = this.mask;
    return key === null ? labels.occupiedChunks().length === 0 : isSameMask(labels, this.scene.overlay(key));
  }

  /** The nearest voxel of the grid. */
  protected inside(ijk: Ijk): Zyx {
    const at = zyxOf(ijk);
    const { shapeZyx: shape } = this.options.volume;
    return perAxis((axis) => Math.min(shape[axis] - 1, Math.max(0, Math.round(at[axis]))));
  }
}
