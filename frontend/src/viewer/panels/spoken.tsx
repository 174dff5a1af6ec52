/**
 * What a screen reader hears by itself: that saving has stopped and that it works again, and how much hinders
 * submitting. Strokes are saved every second and figures move with each; none of that is said.
 */

import { useEffect, useRef, useState } from "preact/hooks";
import { useDesk } from "../desk/desk";
import { t } from "../../ground/language";

/** What passes in less is not worth a word. */
const LASTS_MS = 1500;

export function Spoken() {
  const { session, work, checks } = useDesk();
  const { kind } = session.save.value;
  const isQuiet = kind === "saved" || kind === "saving" || kind === "unsaved";
  const [saving, setSaving] = useState("");
  const [missing, setMissing] = useState("");
  const spoke = useRef(false);
  useEffect(() => {
    if (isQuiet && !spoke.current) return;
    if (isQuiet && kind !== "saved") return;
    const timer = setTimeout(() => {
      spoke.current = !isQuiet;
      setSaving(
        kind === "saved"
          ? t("Everything is saved again.")
          : kind === "offline"
            ? t("Offline. Strokes are kept in this browser.")
            : "",
      );
    }, LASTS_MS);
    return () => clearTimeout(timer);
  }, [kind]);
  const left = session.context.can.submit ? checks.value.filter((c) => !c.ok).length : 0;
  const before = useRef(left);
  useEffect(() => {
    if (left === before.current) return;
    const timer = setTimeout(() => {
      before.current = left;
      setMissing(left ? t("{n} left to look at before you submit.", { n: left }) : t("Nothing hinders submitting."));
    }, LASTS_MS);
    return () => clearTimeout(timer);
  }, [left]);
  return (
    <div class="vh">
      <p role="status">{saving}</p>
      <p role="status">{missing}</p>
      <p role="status">{work.busy.value}</p>
    </div>
  );
}
