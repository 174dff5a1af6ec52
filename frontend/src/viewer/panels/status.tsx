/** The line at the bottom: position, HU and segment under the cursor, loading, zoom, frame time. */

import { useEffect, useState } from "preact/hooks";
import { ERASED } from "../../editor/types";
import { useDesk } from "../desk";
import { lpsOf } from "../image/geometry";
import { t } from "../language";
import { fixed, hu } from "../words";
import { Icon } from "./icons";

export function Status() {
  const desk = useDesk();
  const { session } = desk;
  const view = desk.view.value;
  const volume = session.volume.value;
  const ijk = view?.cursor.value?.ijk ?? session.cross.value;
  const total = session.context.scan.shape_zyx[0];
  const done = session.fullSlices.value;
  const lps = session.geometry && view ? lpsOf(session.geometry, ijk) : null;
  void session.fullSlices.value;
  return (
    <footer class="status" aria-label={t("Position")}>
      {lps && volume && (
        <>
          <span>
            <b>LPS</b>
            {lps.map((v) => fixed(v, 1)).join(", ")} mm
          </span>
          <span>
            <b>{t("Voxel")}</b>
            {ijk.join(", ")}
          </span>
          <span data-testid="hu">
            <b>{session.valueUnit.trim() || t("Value")}</b>
            {hu(volume.at(...(ijk as [number, number, number])))}
            {volume.lost[ijk[2]] ? ` ${t("(damaged)")}` : volume.full[ijk[2]] ? "" : ` ${t("(preview)")}`}
          </span>
          <LabelUnderCursor />
        </>
      )}
      <span class="grow" />
      {session.trouble.value && session.phase.value !== "complete" && (
        <span class="warn row-tight" role="status">
          <Icon name="cloud-off" size="sm" />
          {session.trouble.value}
        </span>
      )}
      <span class="row-tight" data-testid="loading" data-done={done} data-total={total}>
        {done === total ? (
          <>
            <span class="good">
              <Icon name="circle-check" size="sm" />
            </span>
            {t("Full resolution {done} / {total}", { done, total })}
          </>
        ) : (
          <>
            <progress class="vh" value={done} max={total} aria-label={t("Full resolution")} />
            {t("Full resolution {done} / {total}", { done, total })}
          </>
        )}
      </span>
      {session.nextLoaded.value > 0 && (
        <span class="next">{t("Next scan loaded {n} %", { n: Math.round(session.nextLoaded.value * 100) })}</span>
      )}
      {desk.graphics === "none" && (
        <span
          data-testid="no-webgl"
          title={t("This browser has no WebGL: images are drawn by the processor, nothing is missing.")}
        >
          {t("No WebGL, drawn by the processor")}
        </span>
      )}
      {view && (
        <span>
          <b>{t("Zoom")}</b>
          {Math.round(view.zoom.value * 100)} %
        </span>
      )}
      <span title={t("Images drawn by {backend}", { backend: desk.backendName.value })}>
        <b>{t("Frame")}</b>
        {session.frameMs.value < 10 ? fixed(session.frameMs.value, 1) : Math.round(session.frameMs.value)} ms
      </span>
      <button
        type="button"
        class="row-tight link quiet"
        onClick={() => {
          desk.sheet.value = "keys";
        }}
      >
        <kbd>?</kbd> {t("all keys")}
      </button>
    </footer>
  );
}

/** What is marked under the cursor, from the shown slice. */
function LabelUnderCursor() {
  const { session, view: viewSignal } = useDesk();
  const view = viewSignal.value;
  const cursor = view?.cursor.value;
  const [, redraw] = useState(0);
  useEffect(() => session.history.subscribe(() => redraw((n) => n + 1)), []);
  if (!view || !cursor?.ijk) return null;
  const pane = view.panes[cursor.plane];
  const labels = pane.contents.labels;
  if (!labels) return null;
  const [i, j, k] = cursor.ijk;
  const [a, b] = cursor.plane === "axial" ? [i, j] : cursor.plane === "coronal" ? [i, k] : [j, k];
  // An oblique slice is on a raster of its own.
  const label = pane.askew
    ? session.mirror.labels(k)?.[j * session.geometry.shapeZyx[2] + i]
    : labels.data[b * labels.width + a];
  if (!label) return null;
  if (label === ERASED) return <span class="faint">{t("Erased")}</span>;
  return (
    <span class="row-tight">
      <span class="swatch" style={`--c:${session.colours.get(label)}`} />
      {session.segmentName(label)}
    </span>
  );
}
