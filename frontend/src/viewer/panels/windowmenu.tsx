/** The window by presets, by typed numbers, and as windows of one's own. */

import { useState } from "preact/hooks";
import { currentKey, withKey } from "../commands/keys";
import { useDesk } from "../desk";
import { presetsOf } from "../image/window";
import { t } from "../language";
import { change, settings } from "../settings";
import { thin } from "../words";
import { Button } from "./controls";
import { Menu } from "./menu";

const MOST_OWN = 5;

export function Windows() {
  const desk = useDesk();
  const { session } = desk;
  const { level, width } = session.window.value;
  return (
    <>
      <div class="segmented" role="group" aria-label={t("Window")}>
        {presetsOf(session.index).map((p) => (
          <button
            type="button"
            key={p.name}
            aria-pressed={level === p.level && width === p.width}
            title={withKey(
              t("{name} window, L {level} W {width}", { name: t(p.name), level: thin(p.level), width: p.width }),
              p.key,
            )}
            data-testid={`window-${p.name.toLowerCase().replace(" ", "-")}`}
            onClick={() => {
              session.window.value = { level: p.level, width: p.width };
            }}
          >
            {t(p.name)} <kbd aria-hidden="true">{currentKey(p.key).replace("Shift+", "⇧")}</kbd>
          </button>
        ))}
      </div>
      <Menu
        icon="contrast"
        spare
        label={t("Window in numbers")}
        title={t("Level and width in numbers, windows of your own")}
        words={`L ${thin(level)} W ${width}`}
        testid="window-values"
      >
        <Numbers />
      </Menu>
    </>
  );
}

function Numbers() {
  const { session } = useDesk();
  const { level, width } = session.window.value;
  const own = settings.value.windows;
  const [name, setName] = useState("");
  const set = (part: Partial<{ level: number; width: number }>) => {
    const next = { level, width, ...part };
    if (Number.isFinite(next.level) && next.width >= 1) session.window.value = next;
  };
  const keep = () => {
    change({
      windows: [...own.filter((w) => w.name !== name.trim()), { name: name.trim(), level, width }].slice(-MOST_OWN),
    });
    setName("");
  };
  return (
    <>
      <div class="row">
        <label class="small">
          {t("Level")}{" "}
          <input
            class="input num"
            type="number"
            data-testid="level"
            value={level}
            onChange={(e) => set({ level: e.currentTarget.valueAsNumber })}
          />
        </label>
        <label class="small">
          {t("Width")}{" "}
          <input
            class="input num"
            type="number"
            min="1"
            data-testid="width"
            value={width}
            onChange={(e) => set({ width: e.currentTarget.valueAsNumber })}
          />
        </label>
      </div>
      {own.length > 0 && (
        <ul class="own">
          {own.map((w) => (
            <li key={w.name}>
              <button type="button" class="link quiet clip" onClick={() => set(w)}>
                {w.name}{" "}
                <span class="faint">
                  L {thin(w.level)} W {w.width}
                </span>
              </button>
              <Button
                icon="x"
                kind="btn-ghost"
                label={t("Remove {name}", { name: w.name })}
                onClick={() => change({ windows: own.filter((o) => o !== w) })}
              />
            </li>
          ))}
        </ul>
      )}
      <form
        class="row"
        onSubmit={(e) => {
          e.preventDefault();
          if (name.trim()) keep();
        }}
      >
        <input
          class="input"
          aria-label={t("Name of this window")}
          placeholder={t("Name of this window")}
          maxLength={24}
          value={name}
          data-testid="window-name"
          onInput={(e) => setName(e.currentTarget.value)}
        />
        <button type="submit" class="btn" disabled={!name.trim()} data-testid="window-keep">
          {t("Keep window")}
        </button>
      </form>
    </>
  );
}
