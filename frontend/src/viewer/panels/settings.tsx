/** What a person sets up for every scan. */

import { useDesk } from "../desk/desk";
import { languages, msg, nameOf, t } from "../../ground/language";
import { change, resetSettings, settings, type Settings } from "../../ground/settings";
import { THEMES } from "../../ground/theme";
import { Button, Switch } from "../controls/controls";
import { Dialog } from "../controls/dialog";

const RENDERING: readonly (readonly [Settings["rendering"], string])[] = [
  ["auto", msg("Automatic")],
  ["gpu", msg("Graphics card")],
  ["cpu", msg("Processor")],
];
const GRAPHICS = {
  hardware: msg("This browser can use the graphics card."),
  software: msg("This browser draws WebGL in software, without the graphics card: the processor is faster."),
  none: msg("This browser has no WebGL: images are drawn by the processor, nothing is missing."),
} as const;

export function SettingsSheet({ onClose }: { readonly onClose: () => void }) {
  const desk = useDesk();
  return (
    <Dialog title={t("Settings")} onClose={onClose}>
      <p class="small faint">{t("Kept with your account, for every scan and every browser.")}</p>
      <Theme />
      <Switches />
      <Rendering />
      {languages().length > 1 && <Language />}
      <footer class="row">
        <Button onClick={resetSettings}>{t("Back to the defaults")}</Button>
        <span class="grow" />
        <Button
          kind="btn-ghost"
          icon="keyboard"
          onClick={() => {
            desk.openSheet("keys");
          }}
        >
          {t("Set keys")}
        </Button>
      </footer>
    </Dialog>
  );
}

function Theme() {
  return (
    <div class="row between small">
      <span id="theme-label">{t("Theme; the images stay on black")}</span>
      <div class="segmented" role="group" aria-labelledby="theme-label">
        {THEMES.map(([value, words]) => (
          <button
            type="button"
            key={value}
            data-testid={`theme-${value}`}
            aria-pressed={settings.value.theme === value}
            onClick={() => change({ theme: value })}
          >
            {t(words)}
          </button>
        ))}
      </div>
    </div>
  );
}

function Switches() {
  const now = settings.value;
  return (
    <>
      <Switch id="set-smooth" label={t("Smooth pixels")} on={now.smooth} onChange={(smooth) => change({ smooth })} />
      <Switch
        id="set-crosshair"
        label={t("Crosshair")}
        on={now.crosshair}
        keys="X"
        onChange={(crosshair) => change({ crosshair })}
      />
      <Switch
        id="set-scout"
        label={t("Scout: where the slice lies in the patient")}
        on={now.scout}
        keys="Shift+Z"
        onChange={(scout) => change({ scout })}
      />
      <Switch
        id="set-preview"
        label={t("Live preview of the region-growing brush")}
        on={now.livePreview}
        onChange={(livePreview) => change({ livePreview })}
      />
      <Switch
        id="set-switches-last"
        label={t("Brush switches last beyond the scan")}
        on={now.switchesLast}
        hint={t("Off: every scan begins with the limit on, in 3D, and so on")}
        onChange={(switchesLast) => change({ switchesLast })}
      />
    </>
  );
}

function Rendering() {
  const { images } = useDesk();
  return (
    <div class="field">
      <label for="rendering">{t("Images are drawn by")}</label>
      <select
        id="rendering"
        class="select"
        value={settings.value.rendering}
        onChange={(e) => change({ rendering: e.currentTarget.value as Settings["rendering"] })}
      >
        {RENDERING.map(([value, words]) => (
          <option key={value} value={value}>
            {t(words)}
          </option>
        ))}
      </select>
      <p class="hint">
        {t(GRAPHICS[images.graphics])} {t("Takes effect with the next scan.")}
      </p>
    </div>
  );
}

function Language() {
  return (
    <div class="field">
      <label for="language">{t("Language")}</label>
      <select
        id="language"
        class="select"
        value={settings.value.language}
        onChange={(e) => change({ language: e.currentTarget.value })}
      >
        {languages().map((tag) => (
          <option key={tag} value={tag} lang={tag}>
            {nameOf(tag)}
          </option>
        ))}
      </select>
      <p class="hint">{t("Takes effect with the next scan.")}</p>
    </div>
  );
}
