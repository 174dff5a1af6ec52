/** A note on what hinders saving, and the one of a mask that can only be read. */

import type { ComponentChildren } from "preact";
import type { SaveState } from "../../editor/types";
import { useDesk } from "../desk/desk";
import { t } from "../../ground/language";
import { Button } from "../controls/controls";
import { Icon, type IconName } from "../controls/icons";

export function Note({
  tone,
  icon = "triangle-alert",
  testid,
  children,
}: {
  readonly tone: "warn" | "bad" | "accent";
  readonly icon?: IconName;
  readonly testid: string;
  readonly children: ComponentChildren;
}) {
  return (
    <div class={`note note-${tone}`} role="alert" data-testid={testid}>
      <Icon name={icon} />
      {children}
    </div>
  );
}

interface ReadOnlyProps {
  readonly state: Extract<SaveState, { kind: "read-only" }>;
  readonly download: ComponentChildren;
  readonly tryAgain: ComponentChildren;
  readonly safe: string;
}

export function ReadOnlyNote({ state, download, tryAgain, safe }: ReadOnlyProps) {
  const { session } = useDesk();
  const takeOver = (
    <Button testid="draw-here" onClick={() => void session.takeOver()}>
      {t("Draw here")}
    </Button>
  );
  switch (state.reason) {
    case "other-tab":
      return (
        <Note tone="accent" icon="eye" testid="other-tab">
          <span class="grow">
            <b>{t("This scan is open in another tab.")}</b>{" "}
            {t(
              "Here you only look at it. You can go on drawing here: the other tab then puts its strokes away " +
                "and becomes read only.",
            )}
          </span>
          {takeOver}
        </Note>
      );
    case "taken-over":
      return (
        <Note tone="accent" icon="eye" testid="taken-over">
          <span class="grow">
            <b>{t("You went on drawing in another tab.")}</b>{" "}
            {t("This one shows the mask as it was then; its strokes went along.")}
          </span>
          {takeOver}
        </Note>
      );
    case "lease-lost":
      return (
        <Note tone="warn" testid="lease-lost">
          <span class="grow">
            <b>{t("This scan is no longer yours.")}</b> {t("It was given back or to somebody else.")}
            {safe} {t("Download the mask to hand it over, or ask the coordinator for the scan.")}
          </span>
          {download}
          {tryAgain}
        </Note>
      );
    case "not-editable":
      return state.unsent > 0 ? (
        <Note tone="warn" testid="closed">
          <span class="grow">
            <b>{t("This scan can no longer be changed.")}</b>
            {safe}
          </span>
          {download}
          {tryAgain}
        </Note>
      ) : null;
    case "not-loaded":
      return null;
  }
}
