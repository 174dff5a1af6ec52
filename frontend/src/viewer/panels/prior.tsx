/** The other scan of the subject, the active plane beside the same. */

import { useEffect, useRef } from "preact/hooks";
import { withKey } from "../../ground/shortcuts";
import { useDesk } from "../desk/desk";
import { CanvasImage } from "../image/canvas";
import { outlines } from "../geometry/contour";
import { layoutOf } from "../geometry/layout";
import { t } from "../../ground/language";
import { crossLines } from "../panes/marks";
import { slicesOf, travelOf, Wheel } from "../panes/wheel";
import type { Prior } from "../scan/prior";
import { PLANES, type ScanSession } from "../scan/session";
import { settings } from "../../ground/settings";
import { Button } from "../controls/controls";
import { middleOf } from "../geometry/grid";
import type { PaneGeometry } from "../geometry/pane";

interface Other {
  readonly prior: Prior;
}

/** Draws the other scan whenever something that it shows changes. Answers where to draw, and how to draw at once. */
function usePicture({ prior }: Other) {
  const { session, images } = useDesk();
  const box = useRef<HTMLElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const image = useRef<CanvasImage | null>(null);
  const volume = prior.volume.value;
  const slice = prior.slice.value;
  const plane = prior.plane.value;
  const { level, width } = prior.window.value;
  const maskShown = session.selection.maskShown.value;
  const draw = () => {
    const target = canvas.current;
    if (!target || !volume || !prior.pane.width) return;
    image.current ??= new CanvasImage(target, volume, images.onProcessor);
    image.current.draw({ geometry: prior.pane, index: slice, slab: null }, prior.window.value, true);
    const context = target.getContext("2d");
    if (!context) return;
    const ratio = target.width / prior.pane.width;
    if (prior.mask && maskShown) drawMask(context, prior.mask.slice(plane, slice), prior.pane, session, ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (settings.value.crosshair && prior.linked.value)
      crossLines(context, prior.pane, prior.pane.toScreen(middleOf(prior.cross)));
  };
  const latest = useRef(draw);
  latest.current = draw;
  useEffect(() => {
    const host = box.current;
    if (!host) return;
    const watcher = new ResizeObserver(() => {
      const target = canvas.current;
      if (!target || !host.clientWidth || !prior.volume.value) return;
      const ratio = Math.min(devicePixelRatio || 1, 2);
      [target.width, target.height] = [Math.round(host.clientWidth * ratio), Math.round(host.clientHeight * ratio)];
      prior.resize(host.clientWidth, host.clientHeight);
      latest.current();
    });
    watcher.observe(host);
    return () => watcher.disconnect();
  }, [volume]);
  useEffect(() => {
    const frame = requestAnimationFrame(() => latest.current());
    return () => cancelAnimationFrame(frame);
  }, [
    slice,
    plane,
    level,
    width,
    volume,
    session.cross.value,
    prior.linked.value,
    settings.value.crosshair,
    prior.fullSlices.value,
    maskShown,
  ]);
  return { box, canvas, draw };
}

/** The outlines of the mask on a slice. */
function drawMask(
  context: CanvasRenderingContext2D,
  labels: { readonly data: Uint8Array; readonly width: number; readonly height: number },
  pane: PaneGeometry,
  session: ScanSession,
  ratio: number,
): void {
  const [a, b, c, d, e, f] = pane.affine();
  const mm = pane.pathScale;
  context.setTransform(
    (a / mm.a) * ratio,
    (b / mm.a) * ratio,
    (c / mm.b) * ratio,
    (d / mm.b) * ratio,
    e * ratio,
    f * ratio,
  );
  context.lineWidth = 1.25 / pane.scale;
  for (const { segment, path } of outlines(labels.data, labels.width, labels.height, mm)) {
    context.strokeStyle = session.colours.get(segment) ?? "#e8ac00";
    context.stroke(path);
  }
}

const STEPS: Readonly<Record<string, number>> = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10 };

/** Wheel, pointer and keys; nothing before the scan is there. */
function useSteering({ prior }: Other, draw: () => void) {
  const wheel = useRef(new Wheel());
  const isThere = prior.volume.value !== null;
  const scroll = (event: WheelEvent) => {
    event.preventDefault();
    if (!isThere) return;
    if (event.ctrlKey) {
      const at = event.currentTarget as HTMLElement;
      const { left, top } = at.getBoundingClientRect();
      prior.pane.zoomAt(Math.exp(-travelOf(event) / 300), event.clientX - left, event.clientY - top);
      draw();
      return;
    }
    const halves = wheel.current.turn(travelOf(event));
    if (halves) prior.scroll(slicesOf(halves));
  };
  const move = (event: PointerEvent) => {
    if (!isThere) return;
    if (event.buttons & 2) {
      const { level, width } = prior.window.value;
      const step = Math.max(1, width / 400);
      prior.showWindow({
        level: Math.round(level + event.movementY * step),
        width: Math.max(10, Math.round(width + event.movementX * step)),
      });
    } else if (event.buttons & 5) {
      prior.pane.panBy(event.movementX, event.movementY);
      draw();
    }
  };
  const keys = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (step === undefined || event.ctrlKey || event.altKey || event.shiftKey || !isThere) return;
    event.preventDefault();
    event.stopPropagation();
    prior.scroll(step);
  };
  return { scroll, move, keys };
}

export function PriorPane({ prior }: Other) {
  const { box, canvas, draw } = usePicture({ prior });
  const { scroll, move, keys } = useSteering({ prior }, draw);
  const volume = prior.volume.value;
  const slice = prior.slice.value;
  const { level, width } = prior.window.value;
  return (
    <section
      ref={box}
      class="pane prior"
      tabIndex={0}
      data-testid="pane-prior"
      data-plane={prior.plane.value}
      data-slice={slice}
      data-full={prior.fullSlices.value}
      aria-label={t("{code}, another scan of this subject", { code: prior.source.code })}
      onWheel={scroll}
      onPointerMove={move}
      onPointerDown={(e) => e.currentTarget.setPointerCapture(e.pointerId)}
      onContextMenu={(e) => e.preventDefault()}
      onKeyDown={keys}
    >
      <canvas ref={canvas} class="image" aria-hidden="true" />
      <div class="tl">
        <b>{prior.source.code}</b> {volume && `${t(prior.pane.layout.name)} ${slice + 1} / ${prior.pane.slices}`}{" "}
        <span title={t("Dates are taken away by de-identification: which scan was taken first is not known")}>
          {t("same subject")}
        </span>
      </div>
      {volume && <EdgeLetters letters={prior.pane.letters} />}
      {prior.failure.value && (
        <p class="small" role="status">
          {t("The other scan could not be opened: {why}", { why: prior.failure.value })}
        </p>
      )}
      <Compared prior={prior} />
      <div class="bl">
        L {level} W {width}
      </div>
    </section>
  );
}

function EdgeLetters({ letters }: Pick<PaneGeometry, "letters">) {
  return (
    <>
      <span class="o ot" aria-hidden="true">
        {letters.top}
      </span>
      <span class="o ob" aria-hidden="true">
        {letters.bottom}
      </span>
      <span class="o ol" aria-hidden="true">
        {letters.left}
      </span>
      <span class="o or" aria-hidden="true">
        {letters.right}
      </span>
    </>
  );
}

/** The plane of both scans, and whether they scroll together. */
function Compared({ prior }: Other) {
  const { session } = useDesk();
  return (
    <div class="tr2" onPointerDown={(e) => e.stopPropagation()}>
      <div
        class="segmented"
        role="group"
        aria-label={t("Plane of both scans")}
        title={withKey(t("Plane of both scans"), "Q")}
      >
        {PLANES.map((value) => (
          <button
            type="button"
            key={value}
            aria-pressed={session.activePlane.value === value}
            data-testid={`compare-${value}`}
            onClick={() => {
              session.activate(value);
            }}
          >
            {t(layoutOf(value, session.geometry).name)}
          </button>
        ))}
      </div>
      <Button
        icon={prior.linked.value ? "link-2" : "unlink"}
        kind="btn-ghost"
        label={prior.linked.value ? t("Scrolls along; let go") : t("Scroll along from here")}
        pressed={prior.linked.value}
        testid="prior-link"
        onClick={() => prior.toggleLink()}
      />
    </div>
  );
}
