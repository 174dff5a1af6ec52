/** Which panes show thick slices, and how thick. */

import { SLAB_MM, type Slab, type SlabKind } from "../image/slab";
import { change, settings } from "../settings";
import type { View } from "./view";

const ORDER: readonly (SlabKind | null)[] = [null, "mip", "minip", "average"];

/** The slab of the active pane. */
export function slabOf(view: View): Slab | null {
  return view.slabs.value[view.session.activePlane.value];
}

/** Show slabs of this kind (null: thin slices), as thick as the setting says, on all panes or the active one. */
export function setSlab(view: View, kind: SlabKind | null): void {
  const slab = kind && { kind, mm: settings.value.slabMm };
  view.slabs.value = settings.value.slabEverywhere
    ? { axial: slab, coronal: slab, sagittal: slab }
    : { ...view.slabs.value, [view.session.activePlane.value]: slab };
}

/** Thin, MIP, MinIP, average, and thin again. */
export function nextSlab(view: View): void {
  setSlab(view, ORDER[(ORDER.indexOf(slabOf(view)?.kind ?? null) + 1) % ORDER.length]);
}

export function stepSlab(view: View, mm: number): void {
  change({ slabMm: Math.min(Math.max(settings.value.slabMm + mm, SLAB_MM.min), SLAB_MM.max) });
  setSlab(view, slabOf(view)?.kind ?? null);
}
