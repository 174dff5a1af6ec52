/** The selected tool's settings, this stroke, the strokes so far, undo and redo. */

import { PAINTING, RADIUS_RANGE, radiusOf, setRadius, TOLERANCE_RANGE, toleranceWords } from "../brushes";
import { useDesk } from "../desk";
import type { ToolName } from "../session";
import { change, settings } from "../settings";
import { hu, ml, signed, thin } from "../words";
import { Button, Kbd, Slider, Switch } from "./controls";
import { Icon, type IconName } from "./icons";

const WORDS: Readonly<Record<ToolName, readonly [string, string]>> = {
  select: ["Select and scroll", "Press to set the crosshair; the other planes follow."],
  window: ["Window", "Drag sideways for width, up and down for level. The right button does this with any tool."],
  pan: ["Pan and zoom", "Drag to move, wheel to zoom. Hold Space to move with any tool."],
  grow: ["Region-growing brush", "Let the circle just enclose the lesion, then press on it."],
  sphere: ["Sphere brush", "Paints a ball in 3D. It also brings back what was erased."],
  circle: ["Circle brush", "Paints in this slice only. It also brings back what was erased."],
  erase: ["Eraser", "What you erase stays erased: growing never brings it back."],
  measure: ["Measure", "Drag from edge to edge. Delete clears all measurements."],
  comment: ["Comment", "Press on the place you want to speak of."],
};

const STROKE_ICONS: Readonly<Record<string, IconName>> = {
  grow: "sprout", sphere: "globe", circle: "circle-dot", erase: "eraser", undo: "undo-2", redo: "redo-2", copy: "copy",
};

export function ToolPanel() {
  const { session } = useDesk();
  const tool = session.tool.value;
  const [title, words] = WORDS[tool];
  return (
    <section class="tools" aria-label="Tool settings">
      <header><h2>{title}</h2><p class="small faint">{words}</p></header>
      <BrushSettings />
      {PAINTING.has(tool) && <><hr /><ThisStroke /></>}
      {session.context.can.edit && <><hr /><StrokeList /></>}
      <div class="grow" />
      {session.context.can.edit && <Undo />}
    </section>
  );
}

function BrushSettings() {
  const { session } = useDesk();
  const tool = session.tool.value;
  const now = settings.value;
  const radius = radiusOf(tool);
  if (radius === null) return null;
  return <>
    <Slider id="radius" label="Radius" value={radius} min={RADIUS_RANGE.min} max={RADIUS_RANGE.max} step={0.5} text={`${radius} mm`} hint="Shift + wheel" onChange={(v) => setRadius(tool, v)} />
    {tool === "grow" && (
      <Slider
        id="tolerance" label="Tolerance" value={now.tolerance} min={TOLERANCE_RANGE.min} max={TOLERANCE_RANGE.max}
        text={`${now.tolerance} %, ${toleranceWords(now.tolerance)}`} hint="Alt + wheel; smaller paints more" onChange={(tolerance) => change({ tolerance })}
      />
    )}
    <hr />
    {tool === "grow" && <>
      <Switch id="use-limit" label="Stay inside the lung" on={now.useLimit} keys="I" hint="Keep to the lung when the cursor lies in it" onChange={(useLimit) => change({ useLimit })} />
      <Switch id="planar" label="This slice only" on={now.planar} keys="S" hint="Grow in the axial slice only" onChange={(planar) => change({ planar })} />
      <Switch id="exclude-vessels" label="Exclude vessels" on={now.excludeVessels} hint="Nothing brighter than the seed by more than 200 HU" onChange={(excludeVessels) => change({ excludeVessels })} />
      <Switch id="strong-control" label="Strong leakage control" on={now.strongControl} hint="Cut bridges thinner than 4 mm instead of 2 mm" onChange={(strongControl) => change({ strongControl })} />
      <Switch id="live-preview" label="Live preview" on={now.livePreview} hint="Show what a stroke would take" onChange={(livePreview) => change({ livePreview })} />
    </>}
    {tool === "erase" && <>
      <Switch id="eraser-planar" label="This slice only" on={now.eraserPlanar} hint="A circle instead of a ball" onChange={(eraserPlanar) => change({ eraserPlanar })} />
      <Switch id="erase-all" label="All segments" on={now.eraseAll} hint="Not only the selected one; locked ones stay" onChange={(eraseAll) => change({ eraseAll })} />
    </>}
    {tool !== "erase" && <Switch id="overwrite" label="Overwrite others" on={now.overwrite} hint="Take voxels of other segments too; locked ones stay" onChange={(overwrite) => change({ overwrite })} />}
  </>;
}

function ThisStroke() {
  const { session, stroke } = useDesk();
  const facts = stroke.value;
  const tool = session.tool.value;
  const erasing = tool === "erase";
  const voxels = facts ? (erasing ? facts.removed : facts.added) : 0;
  return <>
    <h3>This stroke</h3>
    <dl class="kv" data-testid="this-stroke">
      <div><dt>{facts?.preview ? "Would add" : erasing ? "Removes" : "Adds"}</dt><dd class="strong">{facts ? `${ml(voxels * session.voxelMl)} mL` : "–"}</dd></div>
      <div><dt>Voxels</dt><dd>{facts ? thin(voxels) : "–"}</dd></div>
      {tool === "grow" && <>
        <div><dt>Seed</dt><dd>{facts?.seedHu == null ? "–" : `${hu(facts.seedHu)} HU`}</dd></div>
        <div><dt>Lower bound</dt><dd>{facts?.lowerHu == null ? "–" : `${hu(facts.lowerHu)} HU`}</dd></div>
      </>}
    </dl>
  </>;
}

function StrokeList() {
  const { session } = useDesk();
  const strokes = session.strokes.value;
  return <>
    <h3>Strokes</h3>
    <ol class="strokes" data-testid="strokes">
      {strokes.length === 0 && <li class="faint">None on this page yet</li>}
      {strokes.slice(0, 8).map((s) => (
        <li key={s.id}>
          <Icon name={STROKE_ICONS[s.tool] ?? "copy"} size="sm" />
          <span class="grow clip">{s.tool.charAt(0).toUpperCase() + s.tool.slice(1)}, {session.segmentName(s.segment).toLowerCase()}</span>
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
      <Button icon="undo-2" kind="grow" testid="undo" disabled={off || !undo} title="Undo" keys="Ctrl+Z" onClick={() => void session.editor.undo()}>Undo <Kbd keys="Ctrl+Z" /></Button>
      <Button icon="redo-2" label="Redo" keys="Ctrl+Shift+Z" testid="redo" disabled={off || !redo} onClick={() => void session.editor.redo()} />
    </div>
  );
}
