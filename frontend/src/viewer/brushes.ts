/** Radius and tolerance by steps, and why a stroke is not possible. */

import type { GrowRefusal, GrowResult } from "../editor/types";
import { msg, t } from "./language";
import type { Session } from "./session";
import { change, settings } from "./settings";
import type { Brush } from "./tools/tool";
import { thin } from "./words";

export const REFUSALS: Readonly<Record<GrowRefusal, string>> = {
  normal_lung: msg("Looks like healthy lung: nothing to grow"),
  nothing_within_bounds: msg("Nothing within the bounds here"),
  over_ceiling: msg("Over the voxel ceiling"),
  erased: msg("Erased before: the sphere brush brings it back"),
  not_loaded: msg("Still loading here in full resolution"),
};

/** Why a dab took nothing, in words. */
export function refusalWords(result: Pick<GrowResult, "refusal" | "refused"> | null): string | null {
  if (!result?.refusal) return null;
  return result.refusal === "over_ceiling"
    ? t("{n} voxels: over the ceiling. A leak? Paint less, or raise it", { n: thin(result.refused) })
    : t(REFUSALS[result.refusal]);
}

export const RADIUS_RANGE = { min: 1, max: 50 } as const;
export const TOLERANCE_RANGE = { min: 15, max: 60 } as const;

export function setRadius(brush: Brush, mm: number): void {
  change({ [brush.radius]: Math.min(Math.max(Math.round(mm * 2) / 2, RADIUS_RANGE.min), RADIUS_RANGE.max) });
}

/** One notch larger or smaller: fine steps on small brushes. */
export function stepRadius(brush: Brush, notches: number): void {
  const now = settings.value[brush.radius];
  setRadius(brush, now + notches * (now < 8 || (now === 8 && notches < 0) ? 0.5 : 1));
}

export function stepTolerance(notches: number): void {
  const value = settings.value.tolerance + notches;
  change({ tolerance: Math.min(Math.max(value, TOLERANCE_RANGE.min), TOLERANCE_RANGE.max) });
}

/** Words for a tolerance: what a radiologist would choose it for. */
export function toleranceWords(tolerance: number): string {
  return tolerance <= 22
    ? t("faint")
    : tolerance <= 27
      ? t("generous")
      : tolerance <= 32
        ? t("standard")
        : tolerance <= 42
          ? t("solid")
          : t("strict");
}

/** Why painting is not possible now, in words; null when it is. `anySegment`: whatever the selected one is like. */
export function whyNot(session: Session, anySegment = false): string | null {
  const save = session.save.value;
  if (save.kind === "read-only" && save.reason === "other-tab") return t("This scan is being drawn on in another tab");
  if (!session.editable.value) return t("Read only: this mask cannot be changed");
  if (save.kind === "conflict") return t("Choose a version first");
  if (!session.maskReady.value) return t("The mask is still loading");
  if (session.working.value) return t("Still working: {what}", { what: session.working.value });
  if (anySegment) return null;
  const segment = session.segment.value;
  if (session.locked.value.has(segment)) return t("{segment} is locked", { segment: session.segmentName(segment) });
  if (!session.maskShown.value || session.hidden.value.has(segment))
    return t("{segment} is hidden", { segment: session.segmentName(segment) });
  return null;
}
