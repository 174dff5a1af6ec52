/** Click-to-segment: points and a box that propose a lesion; Enter takes it. */

import type { Box, Ijk } from "../../editor/types";
import { stepTolerance } from "./radius";
import { REFUSALS } from "./refusals";
import { whyNot } from "../scan/editing";
import type { ScanSession } from "../scan/session";
import { boxBetween, outlineOf } from "../geometry/box";
import { t } from "../../ground/language";
import { Button, Kbd, Switch } from "../controls/controls";
import type { Pane } from "../stage/pane";
import { ml } from "../../ground/words";
import { Overwrite, StayInLung, Tolerance } from "./brushsettings";
import type { PanePoint } from "../stage/gesture";
import type { ToolDefinition } from "./tool";
import { middleOf } from "../geometry/grid";

/** A press that moved this far drew a box. */
const LEAST_BOX_PX = 6;
const POINT_PX = 7;

const boxOf = (from: PanePoint, to: PanePoint): Box =>
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
  press: ({ session, stage }, at) => {
    const { clicks } = session;
    const start = at.voxel;
    const why = whyNot(session);
    if (why && stage.value) stage.value.warn(why);
    if (!start || why) return null;
    const moved = ({ x, y }: PanePoint): boolean => Math.hypot(x - at.x, y - at.y) >= LEAST_BOX_PX;
    const belongs = clicks.nextBelongs.value !== at.inverse;
    return {
      move: (to) => {
        clicks.draw(belongs && moved(to) ? boxOf(at, to) : null);
      },
      end: (to) => {
        clicks.draw(null);
        if (belongs && moved(to)) clicks.enclose(boxOf(at, to));
        else clicks.point(start, belongs);
        session.goTo(start);
      },
      cancel: () => {
        clicks.draw(null);
      },
    };
  },
  wheel: (_, event, notches) => {
    if (event.altKey) stepTolerance(notches);
    return event.altKey;
  },
  draw: (stage, pane, context) => {
    const { clicks } = stage.session;
    for (const box of [clicks.drawing.value, clicks.box.value]) if (box) drawBox(pane, context, box);
    for (const { ijk, belongs } of clicks.prompts.value) {
      if (pane.geometry.offPlane(middleOf(ijk), pane.index) <= 1) drawPoint(pane, context, ijk, belongs);
    }
  },
  enter: ({ session }) => void session.clicks.accept(),
  back: ({ session }) => session.clicks.back(),
  escape: ({ session }) => session.clicks.discard(),
  leave: ({ session }) => session.clicks.discard(),
  Settings: ({ host: { session } }) => (
    <>
      <WhatPressSays clicks={session.clicks} />
      <p class="small faint" style="margin:4px 0 10px">
        {t("Alt or Ctrl + press does the opposite.")}
      </p>
      <Tolerance />
      <Overwrite />
      {session.isInLungs && (
        <StayInLung label={t("Stay in the lung")} hint={t("Nothing outside the lungs is proposed")} />
      )}
      <AskServer session={session} />
      <hr />
      <h3>{t("Proposal")}</h3>
      <ProposalFacts session={session} />
      <ProposalNotes session={session} />
      <ProposalActs clicks={session.clicks} />
    </>
  ),
};

interface OfSession {
  readonly session: ScanSession;
}

function WhatPressSays({ clicks }: Pick<ScanSession, "clicks">) {
  const { nextBelongs } = clicks;
  return (
    <div class="segmented" role="group" aria-label={t("What a press means")}>
      <button
        type="button"
        data-testid="click-belongs"
        aria-pressed={nextBelongs.value}
        title={t("A press marks what belongs to the lesion")}
        onClick={() => {
          clicks.sayNext(true);
        }}
      >
        {t("Belongs")}
      </button>
      <button
        type="button"
        data-testid="click-excludes"
        aria-pressed={!nextBelongs.value}
        title={t("A press marks what does not belong to it (Alt or Ctrl + press)")}
        onClick={() => {
          clicks.sayNext(false);
        }}
      >
        {t("Does not")}
      </button>
    </div>
  );
}

/** Whether a model of another server is asked, where there is one. */
function AskServer({ session: { clicks, context } }: OfSession) {
  const { interactive } = context;
  if (!interactive) return null;
  return (
    <>
      <Switch
        id="use-server"
        label={t("Ask {name}", { name: interactive.name })}
        on={clicks.useServer.value}
        hint={t("A crop of the scan is sent to this server, without names or numbers")}
        onChange={(on) => {
          clicks.askServer(on);
        }}
      />
      {interactive.licence && <p class="small faint">{interactive.licence}</p>}
    </>
  );
}

function ProposalFacts({ session }: OfSession) {
  const { clicks } = session;
  const found = clicks.proposed.value;
  return (
    <dl class="kv" data-testid="proposal" data-source={found?.source ?? ""} aria-live="polite">
      <div>
        <dt>{t("Would add")}</dt>
        <dd class="strong">{found ? `${ml(found.added * session.voxelMl)} ${session.unit}` : "–"}</dd>
      </div>
      <div>
        <dt>{t("Points")}</dt>
        <dd>{clicks.prompts.value.length + (clicks.box.value ? 1 : 0) || "–"}</dd>
      </div>
      <div>
        <dt>{t("Rests on")}</dt>
        <dd>
          <RestsOn session={session} />
        </dd>
      </div>
    </dl>
  );
}

/** What the proposal was made from, or would be. */
function RestsOn({ session: { clicks, context } }: OfSession) {
  const found = clicks.proposed.value;
  const model = clicks.model.value;
  if (clicks.asking.value) return <>{t("asking …")}</>;
  if (found?.source === "server") return <>{context.interactive?.name}</>;
  const isOfModel = found ? found.source === "model" : model;
  return <>{isOfModel ? `${t("model")} ${model}` : t("the image alone")}</>;
}

function ProposalNotes({ session: { clicks } }: OfSession) {
  const found = clicks.proposed.value;
  const { model, fault } = clicks;
  return (
    <>
      {found?.refusal && found.added === 0 && <p class="small warn">{t(REFUSALS[found.refusal])}</p>}
      {fault.value && <p class="small warn">{fault.value}</p>}
      {found?.source === "image" && model.value && found.added > 0 && (
        <p class="small faint">{t("The model sees no finding here.")}</p>
      )}
      {!model.value && <p class="small faint">{t("No model has given its probability for this scan.")}</p>}
    </>
  );
}

function ProposalActs({ clicks }: Pick<ScanSession, "clicks">) {
  const empty = clicks.isEmpty.value;
  return (
    <div class="row" style="margin-top:8px">
      <Button
        kind="grow"
        testid="click-accept"
        keys="Enter"
        title={t("Take the proposal")}
        disabled={empty || !clicks.proposed.value?.added}
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
  );
}

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
