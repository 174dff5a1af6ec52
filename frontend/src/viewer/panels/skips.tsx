/** The first stops of the Tab key: past bar, rail and settings to what one works on. */

import { useDesk } from "../desk/desk";
import { t } from "../../ground/language";

export function Skips() {
  const { session, stage, attention } = useDesk();
  if (!stage.value) return null;
  // Without a change of the address, which the offline copy of the page is found by.
  const go = (event: Event, part: string) => {
    event.preventDefault();
    attention.await(part);
  };
  const image = `pane-${stage.value.maximised.value ?? session.activePlane.value}`;
  return (
    <>
      <a class="skip" href={`#${image}`} data-testid="skip-image" onClick={(e) => go(e, image)}>
        {t("Skip to the image")}
      </a>
      <a class="skip" href="#side-body" data-testid="skip-panel" onClick={(e) => go(e, "side-body")}>
        {t("Skip to the scan panel")}
      </a>
    </>
  );
}
