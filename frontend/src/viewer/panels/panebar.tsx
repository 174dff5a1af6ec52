/** Above the panes: window, overlays, layout. */

import { useDesk } from "../desk";
import { t } from "../language";
import { overlayColour } from "../panes/marks";
import { toggled } from "../session";
import { change, settings } from "../settings";
import { Button, Kbd, withKey } from "./controls";
import { Icon } from "./icons";
import { Cine, Layouts, Oblique } from "./layouts";
import { SlabMenu } from "./slabmenu";
import { Windows } from "./windowmenu";

export function PaneBar() {
  const desk = useDesk();
  const { session } = desk;
  const view = desk.view.value;
  const { overlays } = session.context;
  const prediction = overlays.find((o) => o.key === "prediction") ?? overlays[0];
  const against = overlays.find((o) => o.key === session.difference.value) ?? prediction;
  return (
    <div class="pbar">
      {view && <Windows />}
      <span class="vline" />
      <div class="segmented" role="group" aria-label={t("Overlay")}>
        <button type="button" data-testid="toggle-mask" aria-pressed={session.maskShown.value} title={withKey(t("Mask, shown or hidden"), "H")} onClick={() => { session.maskShown.value = !session.maskShown.value; }}>
          <Icon name={session.maskShown.value ? "eye" : "eye-off"} size="sm" />{t("Mask")} <Kbd keys="H" />
        </button>
        {overlays.map((o) => (
          <button
            type="button" key={o.key} data-testid={`toggle-${o.key}`} aria-pressed={session.overlaysShown.value.has(o.key)} disabled={!session.overlaysLoaded.value.has(o.key)}
            title={withKey(t("{title}: dashed outline, shown or hidden", { title: o.title }), o === prediction ? "P" : undefined)} onClick={() => { session.overlaysShown.value = toggled(session.overlaysShown.value, o.key); }}
          ><span class="dash" style={`--c:${overlayColour(o.key)}`} aria-hidden="true" />{o.key === "prediction" ? t("Pre-annotation") : o.key === "author" ? t("Author") : o.title} {o === prediction && <Kbd keys="P" />}</button>
        ))}
        {prediction && (
          <button
            type="button" data-testid="toggle-difference" aria-pressed={session.difference.value !== null} disabled={!session.overlaysLoaded.value.has(against?.key ?? "")}
            title={withKey(t("Difference to {title}: green added, rose removed", { title: against?.title ?? "" }), "D")} onClick={() => { session.difference.value = session.difference.value ? null : against?.key ?? null; }}
          ><Icon name="git-compare" size="sm" />{t("Difference")} <Kbd keys="D" /></button>
        )}
      </div>
      {session.difference.value && overlays.length > 1 && (
        <select class="select small against" aria-label={t("Compare with")} value={session.difference.value} onChange={(e) => { session.difference.value = e.currentTarget.value; }}>
          {overlays.map((o) => <option key={o.key} value={o.key}>{t("to {title}", { title: o.title })}</option>)}
        </select>
      )}
      <label class="small faint opacity" hidden={session.difference.value !== null && overlays.length > 1} for="opacity">{t("Opacity")}</label>
      <input
        id="opacity" hidden={session.difference.value !== null && overlays.length > 1} class="range opacity" type="range" min="0" max="80" value={settings.value.opacity} style={`--v:${(settings.value.opacity / 80) * 100}%`}
        aria-valuetext={t("{n} per cent", { n: settings.value.opacity })} onInput={(e) => change({ opacity: Number(e.currentTarget.value) })}
      />
      <span class="grow" />
      {view && <><SlabMenu view={view} /><Cine view={view} /><Oblique view={view} /></>}
      <Button icon="crosshair" kind="btn-ghost" label={t("Crosshair")} keys="X" pressed={settings.value.crosshair} testid="crosshair" onClick={() => change({ crosshair: !settings.value.crosshair })} />
      <Button icon="rotate-ccw" kind="btn-ghost" label={t("Reset views")} keys="0" testid="reset-views" onClick={() => view?.resetViews()} />
      <Layouts view={view} />
    </div>
  );
}
