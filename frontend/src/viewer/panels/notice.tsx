/** News of what was just done, or why it was not. */

import { useEffect } from "preact/hooks";
import { useDesk } from "../desk/desk";
import { t } from "../../ground/language";
import { Button } from "../controls/controls";
import { Icon } from "../controls/icons";

/** As long as it takes to read two sentences. */
const SHOWN_MS = 9000;

/**
 * At the foot of the right panel, for a while: it never lies on an image. What hinders saving stays above (saving.tsx).
 */
export function Notice() {
  const { session } = useDesk();
  const notice = session.notices.now.value;
  useEffect(() => {
    if (!notice || notice.tone === "bad") return;
    const timer = setTimeout(() => {
      session.notices.dismiss();
    }, SHOWN_MS);
    return () => clearTimeout(timer);
  }, [notice]);
  return (
    <div class="notices" aria-live="polite">
      {notice && (
        <div class={`note note-${notice.tone === "info" ? "accent" : notice.tone}`} data-testid="notice">
          <Icon name={notice.tone === "info" ? "info" : "triangle-alert"} />
          <span class="grow">{notice.text}</span>
          <Button
            icon="x"
            kind="btn-ghost"
            label={t("Dismiss")}
            onClick={() => {
              session.notices.dismiss();
            }}
          />
        </div>
      )}
    </div>
  );
}
