/** Which panes show thick slices, and how thick. */

import { SLAB_MM, type Slab, type SlabKind } from "../geometry/slab";
import { change, settings } from "../../ground/settings";
import type { Stage } from "./stage";

const ORDER: readonly (SlabKind | null)[] = [null, "mip", "minip", "average"];

/** The slab of the active pane. */
export function slabOf(stage: Stage): Slab | null {
  return stage.slabs.value[stage.session.activePlane.value];
}

/** Show slabs of this kind (null: thin slices), as thick as the setting says, on all panes or the active one. */
export function setSlab(stage: Stage, kind: SlabKind | null): void {
  const slab = kind && { kind, mm: settings.value.slabMm };
  stage.showSlabs(
    settings.value.slabEverywhere
      ? { axial: slab, coronal: slab, sagittal: slab }
      : { ...stage.slabs.value, [stage.session.activePlane.value]: slab },
  );
}

/** Thin, MIP, MinIP, average, and thin again. */
export function nextSlab(stage: Stage): void {
  setSlab(stage, ORDER[(ORDER.indexOf(slabOf(stage)?.kind ?? null) + 1) % ORDER.length] ?? null);
}

export function stepSlab(stage: Stage, mm: number): void {
  change({ slabMm: Math.min(Math.max(settings.value.slabMm + mm, SLAB_MM.min), SLAB_MM.max) });
  setSlab(stage, slabOf(stage)?.kind ?? null);
}
