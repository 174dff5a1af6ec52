/** Whether the mask can be changed now. */

import { t } from "../../ground/language";
import type { ScanSession } from "./session";

/** Says why painting is not possible now, as long as it is not; false when it is possible. */
export function refuses(session: ScanSession, anySegment = false): boolean {
  const why = whyNot(session, anySegment);
  if (why) session.notices.say(`${why}.`, "warn", () => whyNot(session, anySegment) === why);
  return why !== null;
}

/** Why painting is not possible now, in words; null when it is. `anySegment`: whatever the selected one is like. */
export function whyNot(session: ScanSession, anySegment = false): string | null {
  const save = session.save.value;
  if (save.kind === "read-only" && save.reason === "other-tab") return t("This scan is being drawn on in another tab");
  if (!session.editable.value) return t("Read only: this mask cannot be changed");
  if (save.kind === "conflict") return t("Choose a version first");
  if (!session.maskReady.value) return t("The mask is still loading");
  if (session.working.value) return t("Still working: {what}", { what: session.working.value });
  if (anySegment) return null;
  const segment = session.selection.segment.value;
  if (session.selection.locked.value.has(segment))
    return t("{segment} is locked", { segment: session.segmentName(segment) });
  if (!session.selection.maskShown.value || session.selection.hidden.value.has(segment))
    return t("{segment} is hidden", { segment: session.segmentName(segment) });
  return null;
}
