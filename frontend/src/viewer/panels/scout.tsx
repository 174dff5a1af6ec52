/** The scout in the right panel: where the axial slice lies in the patient, how thick it is, where lesions reach. Beside the images, never over them. */

import { useEffect, useRef } from "preact/hooks";
import { withKey } from "../commands/keys";
import { useDesk } from "../desk";
import { cross, type Vector } from "../image/oblique";
import type { Scout as Picture } from "../image/scout";
import { slabRange } from "../image/slab";
import { t } from "../language";
import type { Pane, View } from "../panes/view";
import { PLANES } from "../session";
import { settings } from "../settings";

/** Longest side of the picture in units of the drawing: CSS pixels where there is room, fewer in a low window. */
const LONGEST = 112;
/** Of a segment's column beside the picture. */
const COLUMN = 3,
  GAP = 2;

export function Scout() {
  const {
    session,
    view: { value: view },
  } = useDesk();
  const { scout } = session;
  const pane =
    view &&
    scout &&
    PLANES.map((plane) => view.panes[plane]).find(({ geometry }) => geometry.layout.across === scout.layout.down);
  return pane && settings.value.scout ? <ScoutPicture view={view} pane={pane} scout={scout} /> : null;
}

function ScoutPicture({ view, pane, scout }: { readonly view: View; readonly pane: Pane; readonly scout: Picture }) {
  const desk = useDesk();
  const { session } = view;
  void view.moved.value;
  const picture = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = picture.current?.getContext("2d", { willReadFrequently: view.onProcessor });
    if (!context) return;
    const image = new ImageData(scout.width, scout.height);
    const pixels = new Uint32Array(image.data.buffer);
    scout.grey.forEach((grey, p) => {
      pixels[p] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
    });
    context.putImageData(image, 0, 0);
  }, [scout]);

  const { right, down, across, flipRight, flipDown } = scout.layout;
  const { mmPerVoxel: mm, slices } = pane.geometry;
  const counts = [...session.geometry.shapeZyx].reverse();
  const scale = LONGEST / Math.max(counts[right] * mm[right], counts[down] * mm[down]);
  const [width, height] = [right, down].map((axis) => Math.max(1, Math.round(counts[axis] * mm[axis] * scale)));
  const x = (i: number) => (flipRight ? counts[right] - i : i) * mm[right] * scale;
  const y = (k: number) => (flipDown ? counts[down] - k : k) * mm[down] * scale;

  const index = session.cross.value[down];
  const { slab } = pane;
  const [first, end] = slab ? slabRange(index, slices, mm[down], slab.mm) : [index, index + 1];
  // The line in which the slice cuts the picture's plane; level unless the slice stands askew.
  const centre = view.planes.centre;
  const forward = [0, 1, 2].map((axis) => Number(axis === across)) as unknown as Vector;
  const way = cross(pane.geometry.frame.normal, forward);
  const far = (2 * (width + height)) / (Math.hypot(way[right], way[down]) || 1);
  const middle = pane.askew ? { x: x(centre[right]), y: y(centre[down]) } : { x: width / 2, y: y((first + end) / 2) };
  const [dx, dy] = [way[right] * far * (flipRight ? -1 : 1), way[down] * far * (flipDown ? -1 : 1)];
  const line = { x1: middle.x - dx, y1: middle.y - dy, x2: middle.x + dx, y2: middle.y + dy };

  const lesions = session.lesions.value.filter(({ segment }) => !session.hidden.value.has(segment));
  const segments = [...new Set(lesions.map(({ segment }) => segment))].sort((a, b) => a - b);
  const reach = ({ box }: (typeof lesions)[number], axis: number) =>
    [
      [box.x0, box.x1],
      [box.y0, box.y1],
      [box.z0, box.z1],
    ][axis];
  const chosen = session.lesions.value[desk.lesion.value];
  const bar = (a: number, b: number) => ({ y: Math.min(y(a), y(b)), height: Math.max(1, Math.abs(y(b) - y(a))) });
  const columns = segments.length * (COLUMN + GAP);

  const goTo = (slice: number) => {
    const to = [...session.cross.value];
    to[down] = slice;
    session.goTo(to);
  };
  const press = (event: PointerEvent) => {
    event.stopPropagation();
    if (!(event.buttons & 1)) return;
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const place = Math.min(Math.max((event.clientY - box.top) / box.height, 0), 1);
    goTo(Math.floor((flipDown ? 1 - place : place) * slices));
  };
  const keys = (event: KeyboardEvent) => {
    const steps: Readonly<Record<string, number>> = {
      ArrowUp: -1,
      ArrowDown: 1,
      PageUp: -10,
      PageDown: 10,
      Home: -slices,
      End: slices,
    };
    const step = steps[event.key];
    if (step === undefined || event.ctrlKey || event.altKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    goTo(index + step * (flipDown ? -1 : 1));
  };
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
        style={`width:${part(width + columns)};height:${part(height)}`}
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
        <svg viewBox={`0 0 ${width + columns} ${height}`} aria-hidden="true">
          <svg width={width} height={height}>
            {chosen && (
              <rect
                class="chosen"
                data-testid="scout-chosen"
                x={Math.min(...reach(chosen, right).map(x))}
                width={Math.abs(x(reach(chosen, right)[1]) - x(reach(chosen, right)[0]))}
                {...bar(reach(chosen, down)[0], reach(chosen, down)[1])}
                stroke={session.colours.get(chosen.segment)}
              />
            )}
            {slab && (
              <line
                class="slabband"
                data-testid="scout-slab"
                {...line}
                stroke-width={(pane.askew ? slab.mm : (end - first) * mm[down]) * scale}
              />
            )}
            <line class="here" data-testid="scout-here" {...line} />
          </svg>
          {lesions.map((lesion) => {
            const [from, to] = reach(lesion, down);
            return (
              <rect
                key={`${lesion.segment}-${lesion.ijk.join()}`}
                data-testid="scout-lesion"
                x={width + GAP + segments.indexOf(lesion.segment) * (COLUMN + GAP)}
                width={COLUMN}
                {...bar(from, to)}
                fill={session.colours.get(lesion.segment)}
              />
            );
          })}
        </svg>
      </div>
      <dl>
        <dt>{t("Scout")}</dt>
        <dd>{pane.askew ? t("oblique") : words}</dd>
        {slab && (
          <>
            <dt>{t("Slab")}</dt>
            <dd>{slab.mm} mm</dd>
          </>
        )}
      </dl>
    </div>
  );
}
