/** Above the panes: window, overlays, layout. */

import { useDesk } from "../desk";
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
      <div class="segmented" role="group" aria-label="Overlay">
        <button type="button" data-testid="toggle-mask" aria-pressed={session.maskShown.value} title="Mask, shown or hidden (H)" onClick={() => { session.maskShown.value = !session.maskShown.value; }}>
          <Icon name={session.maskShown.value ? "eye" : "eye-off"} size="sm" />Mask <Kbd keys="H" />
        </button>
        {overlays.map((o) => (
          <button
            type="button" key={o.key} data-testid={`toggle-${o.key}`} aria-pressed={session.overlaysShown.value.has(o.key)} disabled={!session.overlaysLoaded.value.has(o.key)}
            title={withKey(`${o.title}: dashed outline, shown or hidden`, o === prediction ? "P" : undefined)} onClick={() => { session.overlaysShown.value = toggled(session.overlaysShown.value, o.key); }}
          ><span class="dash" style={`--c:${overlayColour(o.key)}`} aria-hidden="true" />{o.key === "prediction" ? "Pre-annotation" : o.key === "author" ? "Author" : o.title} {o === prediction && <Kbd keys="P" />}</button>
        ))}
        {prediction && (
          <button
            type="button" data-testid="toggle-difference" aria-pressed={session.difference.value !== null} disabled={!session.overlaysLoaded.value.has(against?.key ?? "")}
            title={`Difference to ${against?.title}: green added, rose removed (D)`} onClick={() => { session.difference.value = session.difference.value ? null : against?.key ?? null; }}
          ><Icon name="git-compare" size="sm" />Difference <Kbd keys="D" /></button>
        )}
      </div>
      {session.difference.value && overlays.length > 1 && (
        <select class="select small against" aria-label="Compare with" value={session.difference.value} onChange={(e) => { session.difference.value = e.currentTarget.value; }}>
          {overlays.map((o) => <option key={o.key} value={o.key}>to {o.title}</option>)}
        </select>
      )}
      <label class="small faint opacity" hidden={session.difference.value !== null && overlays.length > 1} for="opacity">Opacity</label>
      <input
        id="opacity" hidden={session.difference.value !== null && overlays.length > 1} class="range opacity" type="range" min="0" max="80" value={settings.value.opacity} style={`--v:${(settings.value.opacity / 80) * 100}%`}
        aria-valuetext={`${settings.value.opacity} per cent`} onInput={(e) => change({ opacity: Number(e.currentTarget.value) })}
      />
      <span class="grow" />
      {view && <><SlabMenu view={view} /><Cine view={view} /><Oblique view={view} /></>}
      <Button icon="crosshair" kind="btn-ghost" label="Crosshair" keys="X" pressed={settings.value.crosshair} testid="crosshair" onClick={() => change({ crosshair: !settings.value.crosshair })} />
      <Button icon="rotate-ccw" kind="btn-ghost" label="Reset views" keys="0" testid="reset-views" onClick={() => view?.resetViews()} />
      <Layouts view={view} />
    </div>
  );
}
