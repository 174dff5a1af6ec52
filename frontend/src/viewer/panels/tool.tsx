/** The selected tool's settings, this stroke, the strokes so far, undo and redo. */

import { useDesk } from "../desk/desk";
import { msg, t } from "../../ground/language";
import type { StrokeLine } from "../scan/strokes";
import { toolOf } from "../tools";
import { hu, ml, signed, thin } from "../../ground/words";
import { Button, Kbd } from "../controls/controls";
import { Icon, type IconName } from "../controls/icons";
import { stepStroke } from "../tools/stepping";
import { WholeSegment } from "./whole";

const STROKES: Readonly<Record<string, readonly [words: string, icon: IconName]>> = {
  grow: [msg("Grow"), "sprout"],
  sphere: [msg("Sphere"), "globe"],
  step: [msg("Step"), "sprout"],
  accept: [msg("Accept"), "check"],
  drop: [msg("Drop"), "x"],
  regrow: [msg("Regrow"), "sprout"],
  circle: [msg("Circle"), "circle-dot"],
  threshold: [msg("Threshold"), "pipette"],
  erase: [msg("Erase"), "eraser"],
  lasso: [msg("Lasso"), "lasso"],
  scissors: [msg("Scissors"), "scissors"],
  click: [msg("Click"), "mouse-pointer-click"],
  undo: [msg("Undo"), "undo-2"],
  redo: [msg("Redo"), "redo-2"],
  copy: [msg("Copy"), "copy"],
  interpolate: [msg("Interpolate"), "layers-2"],
  "fill-holes": [msg("Fill holes"), "paint-bucket"],
  "remove-islands": [msg("Islands"), "circle-minus"],
  "remove-lesion": [msg("Remove"), "trash-2"],
  smooth: [msg("Smooth"), "waves"],
  union: [msg("Add"), "squares-unite"],
  intersect: [msg("Keep"), "squares-intersect"],
  subtract: [msg("Subtract"), "squares-subtract"],
  convert: [msg("Convert"), "replace"],
  clear: [msg("Clear"), "trash-2"],
  restore: [msg("Restore"), "history"],
  merge: [msg("Merge"), "copy"],
};

/** Words and icon of a stroke in the list. */
function lookOf({ tool, params }: Pick<StrokeLine, "tool" | "params">): readonly [string, IconName] {
  if (tool === "resize") return Number(params["mm"]) > 0 ? [msg("Grow segment"), "expand"] : [msg("Shrink"), "shrink"];
  return STROKES[tool] ?? [tool, "copy"];
}

export function ToolPanel() {
  const desk = useDesk();
  const { session } = desk;
  const { name, title, words, group, brush, Settings } = toolOf(session);
  return (
    <section class="tools" aria-label={t("Tool settings")}>
      <header>
        <h2>{t(title)}</h2>
        <p class="small faint">{t(words)}</p>
      </header>
      {Settings && <Settings key={name} host={desk} />}
      {brush && (
        <>
          <hr />
          <ThisStroke />
          {name === "grow" && <StepLast />}
        </>
      )}
      {session.context.can.edit && group === "draw" && (
        <>
          <hr />
          <WholeSegment />
        </>
      )}
      {session.context.can.edit && (
        <>
          <hr />
          <StrokeList />
        </>
      )}
      <div class="grow" />
      {session.context.can.edit && <Undo />}
    </section>
  );
}

function ThisStroke() {
  const { session, stroke } = useDesk();
  const facts = stroke.value;
  const tool = toolOf(session);
  const erasing = tool.brush?.erases ?? false;
  const voxels = facts ? (erasing ? facts.removed : facts.added) : 0;
  return (
    <>
      <h3>{t("This stroke")}</h3>
      <dl class="kv" data-testid="this-stroke">
        <div>
          <dt>{facts?.preview ? t("Would add") : erasing ? t("Removes") : t("Adds")}</dt>
          <dd class="strong">{facts ? `${ml(voxels * session.voxelMl)} ${session.unit}` : "–"}</dd>
        </div>
        <div>
          <dt>{t("Voxels")}</dt>
          <dd>{facts ? thin(voxels) : "–"}</dd>
        </div>
        {tool.name === "grow" && (
          <>
            <div>
              <dt>{t("Seed")}</dt>
              <dd>{facts?.seedHu == null ? "–" : `${hu(facts.seedHu)} HU`}</dd>
            </div>
            <div>
              <dt>{t("Lower bound")}</dt>
              <dd>{facts?.lowerHu == null ? "–" : `${hu(facts.lowerHu)} HU`}</dd>
            </div>
          </>
        )}
      </dl>
    </>
  );
}

/** The last stroke again, with less or more. */
function StepLast() {
  const { session } = useDesk();
  const off = !session.editable.value || !["grow", "step"].includes(session.history.value.undo?.tool ?? "");
  return (
    <div class="row steplast">
      <Button
        testid="stroke-less"
        kind="grow"
        keys="Alt+."
        title={t("The last stroke takes less")}
        disabled={off}
        onClick={() => void stepStroke(session, -1)}
      >
        {t("Less")} <Kbd keys="Alt+." />
      </Button>
      <Button
        testid="stroke-more"
        kind="grow"
        keys="Alt+,"
        title={t("The last stroke takes more")}
        disabled={off}
        onClick={() => void stepStroke(session, 1)}
      >
        {t("More")} <Kbd keys="Alt+," />
      </Button>
    </div>
  );
}

function StrokeList() {
  const { session } = useDesk();
  const strokes = session.strokes.value;
  return (
    <>
      <h3>{t("Strokes")}</h3>
      <ol class="strokes" data-testid="strokes">
        {strokes.length === 0 && <li class="faint">{t("None on this page yet")}</li>}
        {strokes.slice(0, 8).map((s) => {
          const where = s.segment ? session.segmentName(s.segment).toLowerCase() : t("all segments");
          const words = `${t(lookOf(s)[0])}, ${where}`;
          return (
            <li key={s.id}>
              <Icon name={lookOf(s)[1]} size="sm" />
              <span class="grow clip" title={words}>
                {words}
              </span>
              <span class="num">
                {signed(s.added - s.removed, ml(Math.abs(s.added - s.removed) * session.voxelMl))}
              </span>
            </li>
          );
        })}
      </ol>
    </>
  );
}

function Undo() {
  const { session } = useDesk();
  const { undo, redo } = session.history.value;
  const off = !session.editable.value;
  return (
    <div class="row undo">
      <Button
        icon="undo-2"
        kind="grow"
        testid="undo"
        disabled={off || !undo}
        title={t("Undo")}
        keys="Ctrl+Z"
        onClick={() => {
          session.notices.expire();
          void session.editor.undo();
        }}
      >
        {t("Undo")} <Kbd keys="Ctrl+Z" />
      </Button>
      <Button
        icon="redo-2"
        label={t("Redo")}
        keys="Ctrl+Shift+Z"
        testid="redo"
        disabled={off || !redo}
        onClick={() => {
          session.notices.expire();
          void session.editor.redo();
        }}
      />
    </div>
  );
}
