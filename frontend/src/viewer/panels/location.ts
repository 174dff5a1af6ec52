/** Where a lesion lies, in words to find it by; no diagnosis. */

import type { Lesion } from "../../editor/types";
import { t } from "../../ground/language";
import { lpsOf } from "../geometry/grid";
import type { ScanSession } from "../scan/session";

/** The lobe or lung it lies in where an anatomy layer tells; else side and third of the scan. */
export function locationOf(session: ScanSession, lesion: Pick<Lesion, "region" | "ijk">): string {
  if (lesion.region !== null) {
    const name = session.anatomy.layers.flatMap((l) => l.segments).find((s) => s.id === lesion.region)?.name;
    if (name) return name;
  }
  const [depth, rows, columns] = session.geometry.shapeZyx;
  const middle = lpsOf(session.geometry, [(columns - 1) / 2, (rows - 1) / 2, (depth - 1) / 2]);
  const [left, , up] = lpsOf(session.geometry, lesion.ijk);
  const side = left > middle[0] ? t("Left") : t("Right");
  if (depth === 1) return left > middle[0] ? t("Right half of the image") : t("Left half of the image");
  const third = (up - middle[2]) / (session.geometry.spacingMmZyx[0] * depth);
  return t("{side}, {third} third", {
    side,
    third: third > 1 / 6 ? t("upper") : third < -1 / 6 ? t("lower") : t("middle"),
  });
}
