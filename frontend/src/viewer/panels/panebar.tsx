/** Above the panes: window, overlays, layout. */

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { withKey } from "../../ground/shortcuts";
import { useDesk } from "../desk/desk";
import { t } from "../../ground/language";
import { overlayColour } from "../panes/marks";
import { change, settings } from "../../ground/settings";
import { Button, Kbd } from "../controls/controls";
import { Icon } from "../controls/icons";
import { Cine, Layouts, Oblique } from "./layouts";
import { shortTitle } from "./review";
import { SlabMenu } from "./slabmenu";
import { Windows } from "./windowmenu";

/** What the bar gives up one after the other where it is too long; styles/viewer.css says what. */
const MOST_TIGHT = 5;

/** As tight as it must be for everything to be seen, in any language and font. */
function tighten(bar: HTMLElement): void {
  for (let tight = 0; tight <= MOST_TIGHT; tight++) {
    bar.dataset.tight = String(tight);
    if (bar.scrollWidth <= bar.clientWidth) return;
  }
}

/** Keeps the bar as tight as it must be, whatever makes a part of it longer or shorter. */
function useTightened() {
  const desk = useDesk();
  const { session } = desk;
  const stage = desk.stage.value;
  const bar = useRef<HTMLDivElement>(null);
  void [settings.value, session.window.value, stage?.slabs.value, stage?.cine.playing.value];
  const words = useRef("");
  useLayoutEffect(() => {
    // Measuring costs a layout of the page: not with every step of a slider that leaves the words as long as they are.
    const now = bar.current?.textContent?.replace(/\d/g, "0") ?? "";
    if (bar.current && now !== words.current) tighten(bar.current);
    words.current = now;
  });
  useEffect(() => {
    const watcher = new ResizeObserver((entries) => entries.forEach(({ target }) => tighten(target as HTMLElement)));
    if (bar.current) watcher.observe(bar.current);
    return () => watcher.disconnect();
  }, []);
  return bar;
}

export function PaneBar() {
  const stage = useDesk().stage.value;
  const bar = useTightened();
  return (
    <div class="pbar" ref={bar}>
      {stage && <Windows />}
      <span class="vline" />
      <Overlays />
      <Opacity />
      <span class="grow" />
      {stage && (
        <>
          <SlabMenu stage={stage} />
          <Cine stage={stage} />
          <Oblique stage={stage} />
        </>
      )}
      <Button
        icon="crosshair"
        kind="btn-ghost"
        label={t("Crosshair")}
        keys="X"
        pressed={settings.value.crosshair}
        testid="crosshair"
        onClick={() => change({ crosshair: !settings.value.crosshair })}
      />
      <Button
        icon="rotate-ccw"
        kind="btn-ghost"
        label={t("Reset views")}
        keys="0"
        testid="reset-views"
        onClick={() => stage?.resetViews()}
      />
      <Layouts stage={stage} />
    </div>
  );
}

/** What lies over the image: mask, pre-annotation, difference. */
function Overlays() {
  const { session, review } = useDesk();
  // The others are in the panel of differences: there may be many.
  const prediction = session.context.overlays.find((o) => o.key === "prediction") ?? session.context.overlays[0];
  const against = review.against.value;
  const hasLetters = session.context.stage === "arbitration"; // "Reader A" is as short as it gets
  return (
    <div class="segmented" role="group" aria-label={t("Overlay")}>
      <button
        type="button"
        data-testid="toggle-mask"
        aria-pressed={session.selection.maskShown.value}
        title={withKey(t("Mask, shown or hidden"), "H")}
        onClick={() => {
          session.selection.showMask(!session.selection.maskShown.value);
        }}
      >
        <Icon name={session.selection.maskShown.value ? "eye" : "eye-off"} size="sm" />
        {t("Mask")} <Kbd keys="H" />
      </button>
      {prediction && (
        <button
          type="button"
          data-testid={`toggle-${prediction.key}`}
          aria-pressed={session.overlays.shown.value.has(prediction.key)}
          disabled={!session.overlays.loaded.value.has(prediction.key)}
          title={withKey(t("{title}: dashed outline, shown or hidden", { title: prediction.title }), "P")}
          onClick={() => {
            session.overlays.toggle(prediction.key);
          }}
        >
          <span class="dash" style={`--c:${overlayColour(prediction.key)}`} aria-hidden="true" />
          {hasLetters ? prediction.title : shortTitle(prediction.key, prediction.title)} <Kbd keys="P" />
        </button>
      )}
      {session.context.overlays.length > 0 && (
        <button
          type="button"
          data-testid="toggle-difference"
          aria-pressed={session.overlays.difference.value !== null}
          disabled={!against}
          title={withKey(t("Difference to {title}: green added, rose removed", { title: against?.title ?? "" }), "D")}
          onClick={() => {
            session.overlays.compareWith(session.overlays.difference.value ? null : (against?.key ?? null));
          }}
        >
          <Icon name="git-compare" size="sm" />
          {t("Difference")} <Kbd keys="D" />
        </button>
      )}
    </div>
  );
}

function Opacity() {
  return (
    <>
      <label class="small faint opacity" for="opacity">
        {t("Opacity")}
      </label>
      <input
        id="opacity"
        aria-label={t("Opacity")}
        title={t("Opacity")}
        class="range opacity"
        type="range"
        min="0"
        max="80"
        value={settings.value.opacity}
        style={`--v:${(settings.value.opacity / 80) * 100}%`}
        aria-valuetext={t("{n} per cent", { n: settings.value.opacity })}
        onInput={(e) => change({ opacity: Number(e.currentTarget.value) })}
      />
    </>
  );
}
