/** The slim rail of tools. */

import { Fragment } from "preact";
import { useDesk } from "../desk";
import { t } from "../language";
import { currentKey, withKey } from "../commands/keys";
import { offeredTools } from "../tools";
import { Icon } from "./icons";

export function Rail() {
  const desk = useDesk();
  const { session } = desk;
  const offered = offeredTools(session.context);
  return (
    <nav class="rail" aria-label={t("Tools")}>
      {offered.map(({ name, title, key, icon, group }, n) => (
        <Fragment key={name}>
          {n > 0 && group !== offered[n - 1].group && <hr />}
          <button
            type="button"
            class={`tool${session.tool.value === name ? " on" : ""}`}
            aria-pressed={session.tool.value === name}
            aria-label={t(title)}
            title={withKey(t(title), key)}
            data-testid={`tool-${name}`}
            onClick={() => {
              session.tool.value = name;
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
          desk.sheet.value = "keys";
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
          desk.sheet.value = "settings";
        }}
      >
        <Icon name="settings-2" size="lg" />
      </button>
    </nav>
  );
}
