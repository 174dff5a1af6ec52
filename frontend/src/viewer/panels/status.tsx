/** The line at the bottom: position, HU and segment under the cursor, loading, zoom, frame time. */

import { useEffect, useState } from "preact/hooks";
import { ERASED } from "../../editor/types";
import { useDesk } from "../desk/desk";
import { lpsOf } from "../geometry/grid";
import { SLAB_NAMES } from "../geometry/slab";
import { t } from "../../ground/language";
import { fixed, hu } from "../../ground/words";
import { Icon } from "../controls/icons";
import type { Stage } from "../stage/stage";

export function Status() {
  const desk = useDesk();
  const { session } = desk;
  const stage = desk.stage.value;
  return (
    <footer class="status" aria-label={t("Position")}>
      {stage && <Position stage={stage} />}
      <span class="grow" />
      {session.trouble.value && session.phase.value !== "complete" && (
        <span class="warn row-tight" role="status">
          <Icon name="cloud-off" size="sm" />
          {session.trouble.value}
        </span>
      )}
      <Loading />
      {desk.images.graphics === "none" && (
        <span
          data-testid="no-webgl"
          title={t("This browser has no WebGL: images are drawn by the processor, nothing is missing.")}
        >
          {t("No WebGL, drawn by the processor")}
        </span>
      )}
      {stage && (
        <span>
          <b>{t("Zoom")}</b>
          {Math.round(stage.zoom.value * 100)} %
        </span>
      )}
      <span title={t("Images drawn by {backend}", { backend: desk.images.name.value })}>
        <b>{t("Frame")}</b>
        {session.frameMs.value < 10 ? fixed(session.frameMs.value, 1) : Math.round(session.frameMs.value)} ms
      </span>
      <button
        type="button"
        class="row-tight link quiet"
        onClick={() => {
          desk.openSheet("keys");
        }}
      >
        <kbd>?</kbd> {t("all keys")}
      </button>
    </footer>
  );
}

/** Where the cursor is (else the crosshair), and what is there. */
function Position({ stage }: { readonly stage: Stage }) {
  const { session } = useDesk();
  const volume = session.volume.value;
  const cursor = stage.cursor.value;
  const ijk = cursor?.ijk ?? session.cross.value;
  // Under the cursor stands what is seen there; the crosshair is a voxel.
  const pane = cursor?.ijk ? stage.panes[cursor.plane] : null;
  // What is known of the volume is no signal.
  void [session.fullSlices.value, session.lostSlices.value];
  if (!volume) return null;
  return (
    <>
      <span>
        <b>LPS</b>
        {lpsOf(session.geometry, ijk)
          .map((v) => fixed(v, 1))
          .join(", ")}{" "}
        mm
      </span>
      <span>
        <b>{t("Voxel")}</b>
        {ijk.join(", ")}
      </span>
      <span data-testid="hu">
        <b>{session.valueUnit.trim() || t("Value")}</b>
        {hu(pane?.isOblique === false ? pane.seenAt(volume, ijk) : volume.at(...ijk))}
        {pane?.slab && ` (${pane.isOblique ? t("middle of the slab") : t(SLAB_NAMES[pane.slab.kind])})`}
        {volume.lost[ijk[2]] ? ` ${t("(damaged)")}` : volume.full[ijk[2]] ? "" : ` ${t("(preview)")}`}
      </span>
      <LabelUnderCursor />
    </>
  );
}

/** How many slices have come in full, of this scan and of the next one. */
function Loading() {
  const { session } = useDesk();
  const total = session.context.scan.shape_zyx[0];
  const done = session.fullSlices.value;
  return (
    <>
      <span class="row-tight" data-testid="loading" data-done={done} data-total={total}>
        {done === total ? (
          <span class="good">
            <Icon name="circle-check" size="sm" />
          </span>
        ) : (
          <progress class="vh" value={done} max={total} aria-label={t("Full resolution")} />
        )}
        {t("Full resolution {done} / {total}", { done, total })}
      </span>
      {session.nextLoaded.value > 0 && (
        <span class="next">{t("Next scan loaded {n} %", { n: Math.round(session.nextLoaded.value * 100) })}</span>
      )}
    </>
  );
}

/** What is marked under the cursor, from the shown slice. */
function LabelUnderCursor() {
  const { session, stage: viewSignal } = useDesk();
  const stage = viewSignal.value;
  const cursor = stage?.cursor.value;
  const [, redraw] = useState(0);
  useEffect(() => session.history.subscribe(() => redraw((n) => n + 1)), []);
  if (!stage || !cursor?.ijk) return null;
  const pane = stage.panes[cursor.plane];
  const labels = pane.contents.labels;
  if (!labels) return null;
  const [i, j, k] = cursor.ijk;
  const [a, b] = cursor.plane === "axial" ? [i, j] : cursor.plane === "coronal" ? [i, k] : [j, k];
  // An oblique slice is on a raster of its own.
  const label = pane.isOblique ? session.mirror?.labelAt(k, j, i) : labels.data[b * labels.width + a];
  if (!label) return null;
  if (label === ERASED) return <span class="faint">{t("Erased")}</span>;
  return (
    <span class="row-tight">
      <span class="swatch" style={`--c:${session.colours.get(label)}`} />
      {session.segmentName(label)}
    </span>
  );
}
