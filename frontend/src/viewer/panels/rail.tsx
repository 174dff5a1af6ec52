/** The slim rail of tools. */

import { Fragment } from "preact";
import { useDesk } from "../desk/desk";
import { t } from "../../ground/language";
import { currentKey, withKey } from "../../ground/shortcuts";
import { offeredTools } from "../tools";
import { Icon } from "../controls/icons";

export function Rail() {
  const desk = useDesk();
  const { session } = desk;
  const offered = offeredTools(session.context);
  return (
    <nav class="rail" aria-label={t("Tools")}>
      {offered.map(({ name, title, key, icon, group }, n) => (
        <Fragment key={name}>
          {n > 0 && group !== offered[n - 1]?.group && <hr />}
          <button
            type="button"
            class={`tool${session.selection.tool.value === name ? " on" : ""}`}
            aria-pressed={session.selection.tool.value === name}
            aria-label={t(title)}
            title={withKey(t(title), key)}
            data-testid={`tool-${name}`}
            onClick={() => {
              session.selection.takeTool(name);
            }}
          >
            <Icon name={icon} size="lg" />
            <kbd aria-hidden="true" data-key={currentKey(key)?.replace("Shift+", "⇧")} />
          </button>
        </Fragment>
      ))}
      <span class="grow" />
      <button
        type="button"
        class="tool"
        aria-label={t("All keys")}
        title={withKey(t("All keys"), "?")}
        onClick={() => {
          desk.openSheet("keys");
        }}
      >
        <Icon name="keyboard" size="lg" />
      </button>
      <button
        type="button"
        class="tool"
        aria-label={t("Settings")}
        title={t("Settings")}
        data-testid="settings"
        onClick={() => {
          desk.openSheet("settings");
        }}
      >
        <Icon name="settings-2" size="lg" />
      </button>
    </nav>
  );
}
