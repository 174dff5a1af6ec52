/** The fourth pane: the mask as a surface in the shell of the lungs. */

import { useEffect, useRef, useState } from "preact/hooks";
import { useDesk } from "../desk";
import { t } from "../language";
import type { View } from "../panes/view";
import { SurfaceBody } from "../surface/body";
import { Icon } from "./icons";

const STRAIGHT = { turn: 0, tilt: 0.12, zoom: 1 };
/** A press that moves less than this is a click on what is seen. */
const CLICK_PX = 4;

export function SurfacePane({ view, hidden }: { readonly view: View; readonly hidden: boolean }) {
  const desk = useDesk();
  const { session } = desk;
  const canvas = useRef<HTMLCanvasElement>(null);
  const box = useRef<HTMLElement>(null);
  const body = useRef<SurfaceBody | null>(null);
  const pose = useRef({ ...STRAIGHT });
  const size = useRef([0, 0]);
  const frame = useRef(0);
  const pressed = useRef<readonly [number, number] | null>(null);
  const [drawn, setDrawn] = useState<{ triangles: number; milliseconds: number } | null>(null);
  const hiddenSegments = session.maskShown.value ? session.hidden.value : new Set(session.segments.map((s) => s.id));
  const cross = session.cross.value;

  const draw = () => {
    frame.current = 0;
    const [width, height] = size.current;
    if (!width || !body.current) return;
    const {
      shapeZyx: [depth, rows, columns],
      spacingMmZyx: [sz, sy, sx],
      lpsFromIjk: lps,
    } = session.geometry;
    const fit = 0.92 * Math.min(height / (depth * sz), (width / Math.hypot(rows * sy, columns * sx)) * 1.25);
    const { turn, tilt, zoom } = pose.current;
    const k = session.cross.peek()[2] + 0.5 - depth / 2;
    const corner = (i: number, j: number) =>
      [0, 1, 2].map((row) => (lps[row][0] * i * columns) / 2 + (lps[row][1] * j * rows) / 2 + lps[row][2] * k) as [
        number,
        number,
        number,
      ];
    const rgb = (hex: string) =>
      [1, 3, 5].map((n) => parseInt(hex.slice(n, n + 2), 16)) as unknown as [number, number, number];
    body.current.draw({
      width,
      height,
      pose: { turn, tilt, pxPerMm: fit * zoom },
      colours: session.segments
        .filter(({ id }) => !hiddenSegments.has(id))
        .map(({ id, colour }) => [id, rgb(colour)] as const),
      slice: [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)],
    });
  };
  const latest = useRef(draw);
  latest.current = draw;
  const schedule = () => {
    frame.current ||= requestAnimationFrame(() => latest.current());
  };

  // Not before the images stand: its worker would take the processor that they need.
  const isTime = session.maskReady.value;
  useEffect(() => {
    const host = box.current;
    if (!isTime || !host || !canvas.current) return;
    const made = new SurfaceBody(
      canvas.current.transferControlToOffscreen(),
      session.geometry,
      session.editor,
      (triangles, milliseconds) => setDrawn({ triangles, milliseconds }),
    );
    body.current = made;
    const stops = [
      session.editor.on("changed", ({ box: changed }) => made.changed(changed)),
      session.limitShown.subscribe((is) => {
        if (is) void made.showLungs();
      }),
    ];
    const watcher = new ResizeObserver(() => {
      if (!host.clientWidth) return;
      const ratio = Math.min(devicePixelRatio || 1, 1.5);
      size.current = [Math.round(host.clientWidth * ratio), Math.round(host.clientHeight * ratio)];
      schedule();
    });
    watcher.observe(host);
    return () => {
      watcher.disconnect();
      for (const stop of stops) stop();
      cancelAnimationFrame(frame.current);
      made.close();
    };
  }, [isTime]);
  useEffect(() => {
    if (body.current) body.current.awake = !hidden;
  }, [isTime, hidden]);
  useEffect(schedule, [hiddenSegments, cross[2]]);

  const turnBy = (turn: number, tilt: number) => {
    pose.current.turn += turn;
    pose.current.tilt = Math.min(Math.max(pose.current.tilt + tilt, -1.5), 1.5);
    schedule();
  };
  const zoomBy = (factor: number) => {
    pose.current.zoom = Math.min(Math.max(pose.current.zoom * factor, 0.4), 6);
    schedule();
  };
  const keys = (event: KeyboardEvent) => {
    const acts: Record<string, () => void> = {
      ArrowLeft: () => turnBy(-0.15, 0),
      ArrowRight: () => turnBy(0.15, 0),
      ArrowUp: () => turnBy(0, -0.1),
      ArrowDown: () => turnBy(0, 0.1),
      "+": () => zoomBy(1.25),
      "-": () => zoomBy(0.8),
      Home: () => {
        pose.current = { ...STRAIGHT };
        schedule();
      },
    };
    const act = event.ctrlKey || event.altKey || event.metaKey ? undefined : acts[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  const jump = async (event: PointerEvent) => {
    const from = pressed.current;
    pressed.current = null;
    const host = box.current;
    if (!from || !host || !body.current || Math.hypot(event.clientX - from[0], event.clientY - from[1]) > CLICK_PX)
      return;
    const at = host.getBoundingClientRect();
    const ratio = size.current[0] / at.width;
    const ijk = await body.current.pick((event.clientX - at.left) * ratio, (event.clientY - at.top) * ratio);
    if (ijk) desk.showLesionAt(ijk);
  };
  const maximised = view.maximised.value === "surface";
  return (
    <section
      ref={box}
      class="pane surface"
      hidden={hidden}
      tabIndex={0}
      aria-label={t("3D surface of the mask")}
      data-testid="pane-surface"
      data-triangles={drawn?.triangles}
      data-ms={drawn?.milliseconds.toFixed(1)}
      onPointerDown={(e) => {
        pressed.current = [e.clientX, e.clientY];
        e.currentTarget.setPointerCapture(e.pointerId);
      }}
      onPointerUp={(e) => void jump(e)}
      onPointerMove={(e) => {
        if (e.buttons & 1) turnBy(e.movementX / 120, e.movementY / 160);
      }}
      onKeyDown={keys}
      onWheel={(e) => {
        e.preventDefault();
        zoomBy(Math.exp(-e.deltaY / 400));
      }}
    >
      <canvas ref={canvas} class="image" aria-hidden="true" />
      <div class="tl">
        <b>3D</b> {t("mask surface")}
      </div>
      {drawn?.triangles === 0 && <p class="small faint">{t("Nothing is marked yet")}</p>}
      <div class="tr2">
        <button
          type="button"
          aria-label={maximised ? t("Show all panes") : t("Maximise 3D")}
          title={maximised ? t("Show all panes") : t("Maximise 3D")}
          onPointerDown={(e) => e.stopPropagation()}
          onClick={() => {
            view.maximised.value = maximised ? null : "surface";
          }}
        >
          <Icon name={maximised ? "minimize-2" : "maximize-2"} size="sm" />
        </button>
      </div>
      <div class="bl" title={t("Press a lesion to go there. Arrow keys turn, + and − zoom, Home sets it straight")}>
        <Icon name="rotate-3d" size="sm" /> {t("Drag to turn")}
      </div>
    </section>
  );
}
