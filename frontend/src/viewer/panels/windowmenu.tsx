/** The window by presets, by typed numbers, and as windows of one's own. */

import { useState } from "preact/hooks";
import { currentKey, withKey } from "../../ground/shortcuts";
import { useDesk } from "../desk/desk";
import { presetsOf } from "../geometry/window";
import { t } from "../../ground/language";
import { change, settings, type NamedWindow } from "../../ground/settings";
import { thin } from "../../ground/words";
import { Button } from "../controls/controls";
import { Menu } from "../controls/menu";

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
              session.showWindow({ level: p.level, width: p.width });
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
  const set = (part: Partial<{ level: number; width: number }>) => {
    const next = { level, width, ...part };
    if (Number.isFinite(next.level) && next.width >= 1) session.showWindow(next);
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
      <OwnWindows onChoose={set} />
      <KeepWindow level={level} width={width} />
    </>
  );
}

function OwnWindows({ onChoose }: { readonly onChoose: (window: NamedWindow) => void }) {
  const own = settings.value.windows;
  if (own.length === 0) return null;
  return (
    <ul class="own">
      {own.map((w) => (
        <li key={w.name}>
          <button type="button" class="link quiet clip" onClick={() => onChoose(w)}>
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
  );
}

/** The window as it is, under a name. */
function KeepWindow({ level, width }: { readonly level: number; readonly width: number }) {
  const own = settings.value.windows;
  const [text, setText] = useState("");
  const name = text.trim();
  return (
    <form
      class="row"
      onSubmit={(e) => {
        e.preventDefault();
        if (!name) return;
        change({ windows: [...own.filter((w) => w.name !== name), { name, level, width }].slice(-MOST_OWN) });
        setText("");
      }}
    >
      <input
        class="input"
        aria-label={t("Name of this window")}
        placeholder={t("Name of this window")}
        maxLength={24}
        value={text}
        data-testid="window-name"
        onInput={(e) => setText(e.currentTarget.value)}
      />
      <button type="submit" class="btn" disabled={!name} data-testid="window-keep">
        {t("Keep window")}
      </button>
    </form>
  );
}
