/**
 * The scout in the right panel: where the axial slice lies in the patient, how thick it is, where lesions reach. Beside
 * the images, never over them.
 */

import { useEffect, useRef } from "preact/hooks";
import { withKey } from "../../ground/shortcuts";
import { useDesk } from "../desk/desk";
import { perAxis, type AxisIndex, type Lesion } from "../../editor/types";
import { cross, type Vector } from "../geometry/oblique";
import type { Scout as Picture } from "../geometry/scout";
import { slabRange } from "../geometry/slab";
import { t } from "../../ground/language";
import { figure } from "../../ground/words";
import type { Pane } from "../stage/pane";
import type { Stage } from "../stage/stage";
import { PLANES, type ScanSession } from "../scan/session";
import { settings } from "../../ground/settings";

/** Longest side of the picture in units of the drawing: CSS pixels where there is room, fewer in a low window. */
const LONGEST = 112;
/** Of a segment's column beside the picture. */
const COLUMN = 3,
  GAP = 2;

export function Scout() {
  const {
    session,
    stage: { value: stage },
  } = useDesk();
  const { scout } = session;
  const pane =
    stage &&
    scout &&
    PLANES.map((plane) => stage.panes[plane]).find(({ geometry }) => geometry.layout.across === scout.layout.down);
  return pane && settings.value.scout ? <ScoutPicture stage={stage} pane={pane} scout={scout} /> : null;
}

/** How the picture lies in the panel: lengths in units of the drawing, from voxels along i, j, k. */
function drawingOf({ layout: { right, down, flipRight, flipDown } }: Picture, session: ScanSession, mm: Vector) {
  const [depth, rows, columns] = session.geometry.shapeZyx;
  const counts = [columns, rows, depth] as const;
  const scale = LONGEST / Math.max(counts[right] * mm[right], counts[down] * mm[down]);
  const side = (axis: AxisIndex) => Math.max(1, Math.round(counts[axis] * mm[axis] * scale));
  return {
    scale,
    width: side(right),
    height: side(down),
    x: (i: number) => (flipRight ? counts[right] - i : i) * mm[right] * scale,
    y: (k: number) => (flipDown ? counts[down] - k : k) * mm[down] * scale,
  };
}
type Drawing = ReturnType<typeof drawingOf>;

/** First and last (half open) slice that is shown: one, or those of the slab. */
function shownSlices({ slab, geometry }: Pane, index: number, mm: number): readonly [number, number] {
  return slab ? slabRange(index, geometry.slices, mm, slab.mm) : [index, index + 1];
}

/** The line in which the slice cuts the picture's plane; level unless the slice is oblique. */
function lineOf(stage: Stage, pane: Pane, scout: Picture, { width, height, x, y }: Drawing) {
  const { right, down, across, flipRight, flipDown } = scout.layout;
  const [first, end] = shownSlices(pane, stage.session.cross.value[down], pane.geometry.mmPerVoxel[down]);
  const centre = stage.planes.centre;
  const forward = perAxis((axis) => Number(axis === across));
  const way = cross(pane.geometry.frame.normal, forward);
  const far = (2 * (width + height)) / (Math.hypot(way[right], way[down]) || 1);
  const middle = pane.isOblique
    ? { x: x(centre[right]), y: y(centre[down]) }
    : { x: width / 2, y: y((first + end) / 2) };
  const [dx, dy] = [way[right] * far * (flipRight ? -1 : 1), way[down] * far * (flipDown ? -1 : 1)];
  return { x1: middle.x - dx, y1: middle.y - dy, x2: middle.x + dx, y2: middle.y + dy };
}

const reach = ({ box }: Lesion, axis: AxisIndex): readonly [number, number] =>
  (
    [
      [box.x0, box.x1],
      [box.y0, box.y1],
      [box.z0, box.z1],
    ] as const
  )[axis];

const STEPS: Readonly<Record<string, number>> = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10 };

/** Where a press or a key on the scout leads: to another axial slice. */
function useSteering(stage: Stage, scout: Picture, slices: number) {
  const { session } = stage;
  const { down, flipDown } = scout.layout;
  const index = session.cross.value[down];
  const goTo = (slice: number) => {
    const to = [...session.cross.value];
    to[down] = slice;
    session.goTo(to);
  };
  const press = (event: PointerEvent) => {
    event.stopPropagation();
    if (!(event.buttons & 1)) return;
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const share = Math.min(Math.max((event.clientY - box.top) / box.height, 0), 1);
    goTo(Math.floor((flipDown ? 1 - share : share) * slices));
  };
  const keys = (event: KeyboardEvent) => {
    const step = event.key === "Home" ? -slices : event.key === "End" ? slices : STEPS[event.key];
    if (step === undefined || event.ctrlKey || event.altKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    goTo(index + step * (flipDown ? -1 : 1));
  };
  return { press, keys };
}

/** Paints the picture once. */
function usePicture(scout: Picture) {
  const { images } = useDesk();
  const picture = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = picture.current?.getContext("2d", { willReadFrequently: images.onProcessor });
    if (!context) return;
    const image = new ImageData(scout.width, scout.height);
    const pixels = new Uint32Array(image.data.buffer);
    scout.grey.forEach((grey, p) => {
      pixels[p] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
    });
    context.putImageData(image, 0, 0);
  }, [scout]);
  return picture;
}

interface Shown {
  readonly stage: Stage;
  readonly pane: Pane;
  readonly scout: Picture;
}

function ScoutPicture({ stage, pane, scout }: Shown) {
  const { session } = stage;
  void stage.moved.value;
  const picture = usePicture(scout);
  const { mmPerVoxel: mm, slices } = pane.geometry;
  const drawing = drawingOf(scout, session, mm);
  const { width, height } = drawing;
  const lesions = session.lesions.value.filter(({ segment }) => !session.selection.hidden.value.has(segment));
  const segments = [...new Set(lesions.map(({ segment }) => segment))].sort((a, b) => a - b);
  const barsWidth = segments.length * (COLUMN + GAP);
  const index = session.cross.value[scout.layout.down];
  const { press, keys } = useSteering(stage, scout, slices);
  const part = (length: number) => `calc(var(--longest) * ${length / LONGEST})`;
  const words = t("Slice {n} of {size}", { n: index + 1, size: slices });
  return (
    <div class="sec scoutrow">
      <div
        class="scout on-dark"
        role="slider"
        tabIndex={0}
        data-testid="scout"
        aria-orientation="vertical"
        aria-label={t("Scout: axial slice")}
        title={withKey(t("Scout: press or drag to go to a slice"), "Shift+Z")}
        aria-valuemin={1}
        aria-valuemax={slices}
        aria-valuenow={index + 1}
        aria-valuetext={words}
        style={`width:${part(width + barsWidth)};height:${part(height)}`}
        onPointerDown={(e) => {
          e.currentTarget.setPointerCapture(e.pointerId);
          press(e);
        }}
        onPointerMove={press}
        onKeyDown={keys}
      >
        <canvas
          ref={picture}
          width={scout.width}
          height={scout.height}
          style={`width:${part(width)};height:${part(height)}`}
          aria-hidden="true"
        />
        <svg viewBox={`0 0 ${width + barsWidth} ${height}`} aria-hidden="true">
          <svg width={width} height={height}>
            <Here stage={stage} pane={pane} scout={scout} drawing={drawing} />
          </svg>
          <Bars lesions={lesions} segments={segments} scout={scout} drawing={drawing} />
        </svg>
      </div>
      <Words pane={pane} words={words} />
    </div>
  );
}

/** Beside the picture, a column for every segment: from where to where its lesions reach. */
function Bars({
  lesions,
  segments,
  scout,
  drawing,
}: {
  readonly lesions: readonly Lesion[];
  readonly segments: readonly number[];
  readonly scout: Picture;
  readonly drawing: Drawing;
}) {
  const { session } = useDesk();
  return (
    <>
      {lesions.map((lesion) => (
        <rect
          key={`${lesion.segment}-${lesion.ijk.join()}`}
          data-testid="scout-lesion"
          x={drawing.width + GAP + segments.indexOf(lesion.segment) * (COLUMN + GAP)}
          width={COLUMN}
          {...barOf(lesion, scout, drawing)}
          fill={session.colours.get(lesion.segment)}
        />
      ))}
    </>
  );
}

function Words({ pane, words }: { readonly pane: Pane; readonly words: string }) {
  return (
    <dl>
      <dt>{t("Scout")}</dt>
      <dd>{pane.isOblique ? t("oblique") : words}</dd>
      {pane.slab && (
        <>
          <dt>{t("Slab")}</dt>
          <dd>{figure(pane.thicknessOf(pane.slab.mm))} mm</dd>
        </>
      )}
    </dl>
  );
}

/** From where to where a lesion reaches, as a bar. */
function barOf(lesion: Lesion, { layout }: Picture, { y }: Drawing) {
  const [a, b] = reach(lesion, layout.down).map(y) as [number, number];
  return { y: Math.min(a, b), height: Math.max(1, Math.abs(b - a)) };
}

/** The chosen lesion, the slab and the slice on the picture. */
function Here({ stage, pane, scout, drawing }: Shown & { readonly drawing: Drawing }) {
  const desk = useDesk();
  const { session } = stage;
  const { right, down } = scout.layout;
  const mm = pane.geometry.mmPerVoxel[down];
  const chosen = session.lesions.value[desk.lesion.index.value];
  const line = lineOf(stage, pane, scout, drawing);
  const [first, end] = shownSlices(pane, session.cross.value[down], mm);
  const sides = chosen && reach(chosen, right).map(drawing.x);
  return (
    <>
      {chosen && sides && (
        <rect
          class="chosen"
          data-testid="scout-chosen"
          x={Math.min(...sides)}
          width={Math.max(...sides) - Math.min(...sides)}
          {...barOf(chosen, scout, drawing)}
          stroke={session.colours.get(chosen.segment)}
        />
      )}
      {pane.slab && (
        <line
          class="slabband"
          data-testid="scout-slab"
          {...line}
          stroke-width={(pane.isOblique ? pane.slab.mm : (end - first) * mm) * drawing.scale}
        />
      )}
      <line class="here" data-testid="scout-here" {...line} />
    </>
  );
}
