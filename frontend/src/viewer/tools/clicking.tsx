/** Click-to-segment: points and a box that propose a lesion; Enter takes it. */

import type { Box, Ijk } from "../../editor/types";
import { REFUSALS, TOLERANCE_RANGE, stepTolerance, toleranceWords, whyNot } from "../brushes";
import { boxBetween, outlineOf } from "../image/box";
import { t } from "../language";
import { Button, Kbd, Slider, Switch } from "../panels/controls";
import type { Pane } from "../panes/view";
import { change, settings } from "../settings";
import { ml } from "../words";
import { Overwrite } from "./brushes";
import type { Place, ToolDefinition } from "./tool";

/** A press that moved this far drew a box. */
const LEAST_BOX_PX = 6;
const POINT_PX = 7;

const boxOf = (from: Place, to: Place): Box =>
  boxBetween(from.pane.geometry, [from.x, from.y], [to.x, to.y], from.pane.index);

export const click: ToolDefinition = {
  name: "click",
  title: "Click to segment",
  words: "Press on a lesion, or drag a box round it. Enter takes what is proposed.",
  key: "Y",
  icon: "mouse-pointer-click",
  group: "draw",
  cursor: "crosshair",
  needs: "edit",
  press: ({ session, view }, at) => {
    const { clicks } = session;
    const start = at.voxel;
    const why = whyNot(session);
    if (why && view.value) view.value.hud.value = { title: why, detail: "", tone: "warn" };
    if (!start || why) return null;
    const moved = ({ x, y }: Place): boolean => Math.hypot(x - at.x, y - at.y) >= LEAST_BOX_PX;
    const belongs = clicks.nextBelongs.value !== at.inverse;
    return {
      move: (to) => {
        clicks.drawing.value = belongs && moved(to) ? boxOf(at, to) : null;
      },
      end: (to) => {
        clicks.drawing.value = null;
        if (belongs && moved(to)) clicks.enclose(boxOf(at, to));
        else clicks.point(start, belongs);
        session.goTo(start);
      },
      cancel: () => {
        clicks.drawing.value = null;
      },
    };
  },
  wheel: (_, event, notches) => {
    if (event.altKey) stepTolerance(notches);
    return event.altKey;
  },
  draw: (view, pane, context) => {
    const { clicks } = view.session;
    for (const box of [clicks.drawing.value, clicks.box.value]) if (box) drawBox(pane, context, box);
    for (const { ijk, belongs } of clicks.prompts.value) {
      if (
        pane.geometry.offPlane(
          ijk.map((v) => v + 0.5),
          pane.index,
        ) <= 1
      )
        drawPoint(pane, context, ijk, belongs);
    }
  },
  enter: ({ session }) => void session.clicks.accept(),
  back: ({ session }) => session.clicks.back(),
  escape: ({ session }) => session.clicks.discard(),
  leave: ({ session }) => session.clicks.discard(),
  Settings: ({ desk: { session } }) => {
    const { clicks } = session;
    const { interactive } = session.context;
    const now = settings.value;
    const { model, nextBelongs, proposed, fault } = clicks;
    const found = proposed.value;
    const empty = clicks.isEmpty.value;
    return (
      <>
        <div class="segmented" role="group" aria-label={t("What a press says")}>
          <button
            type="button"
            data-testid="click-belongs"
            aria-pressed={nextBelongs.value}
            title={t("A press says: this belongs to the lesion")}
            onClick={() => {
              nextBelongs.value = true;
            }}
          >
            {t("Belongs")}
          </button>
          <button
            type="button"
            data-testid="click-excludes"
            aria-pressed={!nextBelongs.value}
            title={t("A press says: this does not (Alt or Ctrl + press)")}
            onClick={() => {
              nextBelongs.value = false;
            }}
          >
            {t("Does not")}
          </button>
        </div>
        <p class="small faint" style="margin:4px 0 10px">
          {t("Alt or Ctrl + press says the opposite.")}
        </p>
        <Slider
          id="tolerance"
          label={t("Tolerance")}
          value={now.tolerance}
          min={TOLERANCE_RANGE.min}
          max={TOLERANCE_RANGE.max}
          text={`${now.tolerance} %, ${t(toleranceWords(now.tolerance))}`}
          hint={t("Alt + wheel; smaller paints more")}
          onChange={(tolerance) => change({ tolerance })}
        />
        <Overwrite />
        {interactive && (
          <>
            <Switch
              id="use-server"
              label={t("Ask {name}", { name: interactive.name })}
              on={clicks.useServer.value}
              hint={t("A crop of the scan is sent to this server, without names or numbers")}
              onChange={(on) => {
                clicks.useServer.value = on;
              }}
            />
            {interactive.licence && <p class="small faint">{interactive.licence}</p>}
          </>
        )}
        <hr />
        <h3>{t("Proposal")}</h3>
        <dl class="kv" data-testid="proposal" data-source={found?.source ?? ""} aria-live="polite">
          <div>
            <dt>{t("Would add")}</dt>
            <dd class="strong">{found ? `${ml(found.added * session.voxelMl)} mL` : "–"}</dd>
          </div>
          <div>
            <dt>{t("Points")}</dt>
            <dd>{clicks.prompts.value.length + (clicks.box.value ? 1 : 0) || "–"}</dd>
          </div>
          <div>
            <dt>{t("Rests on")}</dt>
            <dd>
              {clicks.asking.value
                ? t("asking …")
                : found?.source === "server"
                  ? interactive?.name
                  : (found ? found.source === "model" : model.value)
                    ? `${t("model")} ${model.value}`
                    : t("the image alone")}
            </dd>
          </div>
        </dl>
        {found?.refusal && found.added === 0 && <p class="small warn">{t(REFUSALS[found.refusal])}</p>}
        {fault.value && <p class="small warn">{fault.value}</p>}
        {found?.source === "image" && model.value && found.added > 0 && (
          <p class="small faint">{t("The model sees no finding here.")}</p>
        )}
        {!model.value && <p class="small faint">{t("No model has given its probability for this scan.")}</p>}
        <div class="row" style="margin-top:8px">
          <Button
            kind="grow"
            testid="click-accept"
            keys="Enter"
            title={t("Take the proposal")}
            disabled={empty || !found?.added}
            onClick={() => void clicks.accept()}
          >
            {t("Take it")} <Kbd keys="Enter" />
          </Button>
          <Button
            kind="btn-ghost"
            icon="x"
            label={t("Discard the proposal")}
            title={t("Discard the proposal (Esc)")}
            testid="click-discard"
            disabled={empty}
            onClick={() => clicks.discard()}
          />
        </div>
      </>
    );
  },
};

function drawPoint(pane: Pane, context: CanvasRenderingContext2D, ijk: Ijk, belongs: boolean): void {
  const [x, y] = pane.geometry.toScreen([ijk[0] + 0.5, ijk[1] + 0.5, ijk[2] + 0.5]);
  context.beginPath();
  context.arc(x, y, POINT_PX, 0, 2 * Math.PI);
  context.fillStyle = belongs ? "#1c4fc4" : "#b3261e";
  context.fill();
  context.lineWidth = 1.5;
  context.strokeStyle = "#fff";
  context.moveTo(x - 3.5, y);
  context.lineTo(x + 3.5, y);
  if (belongs) {
    context.moveTo(x, y - 3.5);
    context.lineTo(x, y + 3.5);
  }
  context.stroke();
}

function drawBox(pane: Pane, context: CanvasRenderingContext2D, box: Box): void {
  const outline = outlineOf(pane.geometry, box, pane.index);
  context.beginPath();
  for (const [x, y] of outline) context.lineTo(x, y);
  context.closePath();
  context.setLineDash([6, 4]);
  context.lineWidth = 1.5;
  context.strokeStyle = "#fff";
  context.stroke();
  context.setLineDash([]);
}
