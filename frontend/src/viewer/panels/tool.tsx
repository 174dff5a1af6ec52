/** The selected tool's settings, this stroke, the strokes so far, undo and redo. */

import { useDesk } from "../desk";
import { t } from "../language";
import { brushOf, toolOf } from "../tools";
import { capital, hu, ml, signed, thin, toolWords } from "../words";
import { Button, Kbd } from "./controls";
import { Icon, type IconName } from "./icons";

const STROKE_ICONS: Readonly<Record<string, IconName>> = {
  grow: "sprout", sphere: "globe", circle: "circle-dot", erase: "eraser", undo: "undo-2", redo: "redo-2", copy: "copy",
};

export function ToolPanel() {
  const desk = useDesk();
  const { session } = desk;
  const { name, title, words, brush, Settings } = toolOf(session);
  return (
    <section class="tools" aria-label={t("Tool settings")}>
      <header><h2>{t(title)}</h2><p class="small faint">{t(words)}</p></header>
      {Settings && <Settings key={name} desk={desk} />}
      {brush && <><hr /><ThisStroke /></>}
      {session.context.can.edit && <><hr /><StrokeList /></>}
      <div class="grow" />
      {session.context.can.edit && <Undo />}
    </section>
  );
}

function ThisStroke() {
  const { session, stroke } = useDesk();
  const facts = stroke.value;
  const brush = brushOf(session);
  const erasing = brush?.erases ?? false;
  const voxels = facts ? (erasing ? facts.removed : facts.added) : 0;
  return <>
    <h3>{t("This stroke")}</h3>
    <dl class="kv" data-testid="this-stroke">
      <div><dt>{facts?.preview ? t("Would add") : erasing ? t("Removes") : t("Adds")}</dt><dd class="strong">{facts ? `${ml(voxels * session.voxelMl)} mL` : "–"}</dd></div>
      <div><dt>{t("Voxels")}</dt><dd>{facts ? thin(voxels) : "–"}</dd></div>
      {brush?.previews && <>
        <div><dt>{t("Seed")}</dt><dd>{facts?.seedHu == null ? "–" : `${hu(facts.seedHu)} HU`}</dd></div>
        <div><dt>{t("Lower bound")}</dt><dd>{facts?.lowerHu == null ? "–" : `${hu(facts.lowerHu)} HU`}</dd></div>
      </>}
    </dl>
  </>;
}

function StrokeList() {
  const { session } = useDesk();
  const strokes = session.strokes.value;
  return <>
    <h3>{t("Strokes")}</h3>
    <ol class="strokes" data-testid="strokes">
      {strokes.length === 0 && <li class="faint">{t("None on this page yet")}</li>}
      {strokes.slice(0, 8).map((s) => (
        <li key={s.id}>
          <Icon name={STROKE_ICONS[s.tool] ?? "copy"} size="sm" />
          <span class="grow clip">{capital(toolWords(s.tool))}, {session.segmentName(s.segment).toLowerCase()}</span>
          <span class="num">{signed(s.added - s.removed, ml(Math.abs(s.added - s.removed) * session.voxelMl))}</span>
        </li>
      ))}
    </ol>
  </>;
}

function Undo() {
  const { session } = useDesk();
  const { undo, redo } = session.history.value;
  const off = !session.editable.value;
  return (
    <div class="row undo">
      <Button icon="undo-2" kind="grow" testid="undo" disabled={off || !undo} title={t("Undo")} keys="Ctrl+Z" onClick={() => void session.editor.undo()}>{t("Undo")} <Kbd keys="Ctrl+Z" /></Button>
      <Button icon="redo-2" label={t("Redo")} keys="Ctrl+Shift+Z" testid="redo" disabled={off || !redo} onClick={() => void session.editor.redo()} />
    </div>
  );
}
