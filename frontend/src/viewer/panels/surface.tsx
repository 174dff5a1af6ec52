/** The fourth pane: the mask as a surface, with the lungs as a faint cloud. */

import { useEffect, useRef, useState } from "preact/hooks";
import { useDesk } from "../desk";
import { drawSurface, surfaceOf, type Surface } from "../image/surface";
import type { View } from "../panes/view";
import { Icon } from "./icons";
import { t } from "../language";

const REBUILD_MS = 350;

export function SurfacePane({ view, hidden }: { readonly view: View; readonly hidden: boolean }) {
  const { session } = useDesk();
  const canvas = useRef<HTMLCanvasElement>(null);
  const box = useRef<HTMLElement>(null);
  const surface = useRef<Surface | null>(null);
  const pose = useRef({ turn: 0, tilt: 0.12, zoom: 1 });
  const frame = useRef(0);
  const [empty, setEmpty] = useState(false);
  const version = session.mirror.version.value;
  const hiddenSegments = session.maskShown.value ? session.hidden.value : new Set(session.segments.map((s) => s.id));

  const draw = () => {
    frame.current = 0;
    const target = canvas.current;
    const context = target?.getContext("2d", { alpha: false });
    if (!target || !context || !surface.current || !target.width) return;
    const [depth, rows, columns] = session.geometry.shapeZyx;
    const [sz, sy, sx] = session.geometry.spacingMmZyx;
    const fit = 0.92 * Math.min(target.height / (depth * sz), target.width / Math.hypot(rows * sy, columns * sx) * 1.25);
    const pixels = context.createImageData(target.width, target.height);
    const { turn, tilt, zoom } = pose.current;
    drawSurface(surface.current, new Uint32Array(pixels.data.buffer), target.width, target.height, turn, tilt, fit * zoom, session.colours, hiddenSegments);
    context.putImageData(pixels, 0, 0);
  };
  const schedule = () => { frame.current ||= requestAnimationFrame(draw); };

  useEffect(() => {
    if (hidden) return;
    const timer = setTimeout(() => {
      surface.current = surfaceOf(session.mirror, session.mirror.limits, session.geometry.spacingMmZyx, session.geometry.lpsFromIjk);
      setEmpty(surface.current.count === 0);
      schedule();
    }, REBUILD_MS);
    return () => clearTimeout(timer);
  }, [version, hidden]);
  useEffect(schedule, [hiddenSegments]);
  useEffect(() => {
    const host = box.current;
    if (!host) return;
    const watcher = new ResizeObserver(() => {
      if (!canvas.current || !host.clientWidth) return;
      canvas.current.width = host.clientWidth;
      canvas.current.height = host.clientHeight;
      schedule();
    });
    watcher.observe(host);
    return () => watcher.disconnect();
  }, []);

  const turn = (event: PointerEvent) => {
    if (!(event.buttons & 1)) return;
    pose.current.turn += event.movementX / 120;
    pose.current.tilt = Math.min(Math.max(pose.current.tilt + event.movementY / 160, -1.4), 1.4);
    schedule();
  };
  const keys = (event: KeyboardEvent) => {
    const by: Record<string, [number, number]> = { ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] };
    const step = by[event.key];
    if (!step) return;
    event.preventDefault();
    pose.current.turn += step[0];
    pose.current.tilt = Math.min(Math.max(pose.current.tilt + step[1], -1.4), 1.4);
    schedule();
  };
  const maximised = view.maximised.value === "surface";
  return (
    <section
      ref={box} class="pane surface" hidden={hidden} tabIndex={0} aria-label={t("3D surface of the mask")} data-testid="pane-surface"
      onPointerDown={(e) => e.currentTarget.setPointerCapture(e.pointerId)} onPointerMove={turn} onKeyDown={keys}
      onWheel={(e) => { e.preventDefault(); pose.current.zoom = Math.min(Math.max(pose.current.zoom * Math.exp(-e.deltaY / 400), 0.4), 6); schedule(); }}
    >
      <canvas ref={canvas} class="image" aria-hidden="true" />
      <div class="tl"><b>3D</b> {t("mask surface")}</div>
      {empty && <p class="small faint">{t("Nothing is marked yet")}</p>}
      <div class="tr2">
        <button type="button" aria-label={maximised ? t("Show all panes") : t("Maximise {plane}", { plane: "3D" })} title={maximised ? t("Show all panes") : t("Maximise {plane}", { plane: "3D" })} onPointerDown={(e) => e.stopPropagation()} onClick={() => { view.maximised.value = maximised ? null : "surface"; }}>
          <Icon name={maximised ? "minimize-2" : "maximize-2"} size="sm" />
        </button>
      </div>
      <div class="bl"><Icon name="rotate-3d" size="sm" /> {t("Drag to turn")}</div>
    </section>
  );
}
