/** Why a dab took nothing, in words. */

import type { GrowRefusal, GrowResult } from "../../editor/types";
import { msg, t } from "../../ground/language";
import { thin } from "../../ground/words";

export const REFUSALS: Readonly<Record<GrowRefusal, string>> = {
  normal_lung: msg("Looks like healthy lung: nothing to grow"),
  nothing_within_bounds: msg("Nothing within the bounds here"),
  over_ceiling: msg("Over the voxel ceiling"),
  erased: msg("Erased before: the sphere brush brings it back"),
  not_loaded: msg("Still loading here in full resolution"),
  outside_limit: msg("Outside the lungs: nothing is proposed while “Stay in the lung” is on"),
};

/** Why a dab took nothing, in words. */
export function refusalWords(result: Pick<GrowResult, "refusal" | "refused"> | null): string | null {
  if (!result?.refusal) return null;
  return result.refusal === "over_ceiling"
    ? t("{n} voxels: over the ceiling. A leak? Paint less, or raise it", { n: thin(result.refused) })
    : t(REFUSALS[result.refusal]);
}
