/** The other scan of the subject, the active plane beside the same. */

import { useEffect, useRef } from "preact/hooks";
import { withKey } from "../commands/keys";
import { useDesk } from "../desk";
import { CanvasImage } from "../image/canvas";
import { outlines } from "../image/contour";
import { layoutOf } from "../image/geometry";
import { t } from "../language";
import { crossLines } from "../panes/marks";
import type { Prior } from "../prior";
import { PLANES } from "../session";
import { settings } from "../settings";
import { Button } from "./controls";

const NOTCH = 50;

export function PriorPane({ prior }: { readonly prior: Prior }) {
  const { session, graphics } = useDesk();
  const box = useRef<HTMLElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const image = useRef<CanvasImage | null>(null);
  const wheel = useRef(0);
  const volume = prior.volume.value;
  const slice = prior.slice.value;
  const plane = prior.plane.value;
  const { level, width } = prior.window.value;
  const cross = session.cross.value;

  const draw = () => {
    const target = canvas.current;
    if (!target || !volume || !prior.pane.width) return;
    image.current ??= new CanvasImage(target, volume, graphics !== "hardware");
    image.current.draw({ geometry: prior.pane, index: slice, slab: null }, prior.window.value, true);
    const context = target.getContext("2d");
    const [a, b, c, d, e, f] = prior.pane.affine();
    const ratio = target.width / prior.pane.width;
    if (!context) return;
    if (prior.mask && session.maskShown.value) {
      const labels = prior.mask.slice(plane, slice);
      const mm = prior.pane.pathScale;
      context.setTransform(
        (a / mm.a) * ratio,
        (b / mm.a) * ratio,
        (c / mm.b) * ratio,
        (d / mm.b) * ratio,
        e * ratio,
        f * ratio,
      );
      context.lineWidth = 1.25 / prior.pane.scale;
      for (const { segment, path } of outlines(labels.data, labels.width, labels.height, mm)) {
        context.strokeStyle = session.colours.get(segment) ?? "#e8ac00";
        context.stroke(path);
      }
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (settings.value.crosshair && prior.linked.value)
      crossLines(context, prior.pane, prior.pane.toScreen(prior.cross.map((v) => v + 0.5)));
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
    cross,
    prior.linked.value,
    settings.value.crosshair,
    prior.fullSlices.value,
    session.maskShown.value,
  ]);

  const scroll = (event: WheelEvent) => {
    event.preventDefault();
    if (!volume) return;
    if (event.ctrlKey) {
      const at = event.currentTarget as HTMLElement;
      const { left, top } = at.getBoundingClientRect();
      prior.pane.zoomAt(Math.exp(-event.deltaY / 300), event.clientX - left, event.clientY - top);
      draw();
      return;
    }
    wheel.current += event.deltaY;
    const notches = Math.trunc(wheel.current / NOTCH);
    wheel.current -= notches * NOTCH;
    if (notches) prior.scroll(notches);
  };
  const move = (event: PointerEvent) => {
    if (!volume) return;
    if (event.buttons & 2) {
      const step = Math.max(1, width / 400);
      prior.window.value = {
        level: Math.round(level + event.movementY * step),
        width: Math.max(10, Math.round(width + event.movementX * step)),
      };
    } else if (event.buttons & 5) {
      prior.pane.panBy(event.movementX, event.movementY);
      draw();
    }
  };
  const keys = (event: KeyboardEvent) => {
    const by: Record<string, number> = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10 };
    if (!(event.key in by) || event.ctrlKey || event.altKey || event.shiftKey || !volume) return;
    event.preventDefault();
    event.stopPropagation();
    prior.scroll(by[event.key]);
  };
  const { letters } = prior.volume.value ? prior.pane : { letters: null };
  return (
    <section
      ref={box}
      class="pane prior"
      tabIndex={0}
      data-testid="pane-prior"
      data-plane={plane}
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
      {letters && (
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
      )}
      {prior.failure.value && (
        <p class="small" role="status">
          {t("The other scan could not be opened: {why}", { why: prior.failure.value })}
        </p>
      )}
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
                session.activePlane.value = value;
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
      <div class="bl">
        L {level} W {width}
      </div>
    </section>
  );
}
