/** Radius and tolerance of the brushes by steps. */

import { t } from "../../ground/language";
import { change, settings } from "../../ground/settings";
import type { Brush } from "./tool";

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
