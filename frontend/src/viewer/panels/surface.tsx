/** The fourth pane: the mask as a surface in the shell of the lungs. */

import { useEffect, useRef, useState } from "preact/hooks";
import { useDesk } from "../desk/desk";
import { lineBack } from "../../ground/again";
import { t } from "../../ground/language";
import { travelOf } from "../panes/wheel";
import type { Stage } from "../stage/stage";
import { SurfaceBody } from "../surface/body";
import type { ScanSession } from "../scan/session";
import type { Scene3D } from "../surface/surface.worker";
import { Icon } from "../controls/icons";
import { perAxis } from "../../editor/types";

const STRAIGHT = { turn: 0, tilt: 0.12, zoom: 1 };
/** A press that moves less than this is a click on what is seen. */
const CLICK_PX = 4;

interface Shown {
  readonly triangles: number;
  readonly milliseconds: number;
}

/** What the surface shows from this pose: the slice under work as a frame, and the shown segments. */
function sceneOf(session: ScanSession, pose: typeof STRAIGHT, [width, height]: readonly [number, number]): Scene3D {
  const {
    shapeZyx: [depth, rows, columns],
    spacingMmZyx: [sz, sy, sx],
    lpsFromIjk: lps,
  } = session.geometry;
  const fit = 0.92 * Math.min(height / (depth * sz), (width / Math.hypot(rows * sy, columns * sx)) * 1.25);
  const { turn, tilt, zoom } = pose;
  const k = session.cross.peek()[2] + 0.5 - depth / 2;
  const corner = (i: number, j: number) =>
    perAxis((row) => (lps[row][0] * i * columns) / 2 + (lps[row][1] * j * rows) / 2 + lps[row][2] * k);
  const isShown = (id: number) => session.selection.maskShown.peek() && !session.selection.hidden.peek().has(id);
  return {
    width,
    height,
    pose: { turn, tilt, pxPerMm: fit * zoom },
    colours: session.segments
      .filter(({ id }) => isShown(id))
      .map(({ id, colour }) => [id, perAxis((n) => parseInt(colour.slice(2 * n + 1, 2 * n + 3), 16))] as const),
    slice: [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)],
  };
}

/** The surface in its worker, made when the images stand, drawn once a frame where something has changed. */
function useSurface(hidden: boolean) {
  const { session } = useDesk();
  const canvas = useRef<HTMLCanvasElement>(null);
  const box = useRef<HTMLElement>(null);
  const body = useRef<SurfaceBody | null>(null);
  const pose = useRef({ ...STRAIGHT });
  const size = useRef<readonly [number, number]>([0, 0]);
  const frame = useRef(0);
  const [drawn, setDrawn] = useState<Shown | null>(null);
  // Each try has a canvas of its own: it goes to the worker, and ends with it.
  const [tries, setTries] = useState(0);
  const schedule = () => {
    frame.current ||= requestAnimationFrame(() => {
      frame.current = 0;
      if (size.current[0]) body.current?.draw(sceneOf(session, pose.current, size.current));
    });
  };
  // Not before the images stand: its worker would take the processor that they need.
  const isTime = session.maskReady.value;
  useEffect(() => {
    const host = box.current;
    if (!isTime || !host || !canvas.current) return;
    let isOver = false;
    const made = new SurfaceBody(
      canvas.current.transferControlToOffscreen(),
      session.geometry,
      session.editor,
      (triangles, milliseconds) => setDrawn({ triangles, milliseconds }),
      () => void lineBack().then(() => isOver || setTries(tries + 1)),
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
      isOver = true;
      watcher.disconnect();
      for (const stop of stops) stop();
      cancelAnimationFrame(frame.current);
      made.close();
    };
  }, [isTime, tries]);
  useEffect(() => {
    if (body.current) body.current.awake = !hidden;
  }, [isTime, tries, hidden]);
  useEffect(schedule, [session.selection.maskShown.value, session.selection.hidden.value, session.cross.value[2]]);
  return { canvas, tries, box, body, pose, size, drawn, schedule };
}

type Surface = ReturnType<typeof useSurface>;

/** Turning, zooming, and going to what is pressed. */
function useSteering({ box, body, pose, size, schedule }: Surface) {
  const desk = useDesk();
  const pressed = useRef<readonly [number, number] | null>(null);
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
    if (ijk) desk.lesion.showAt(ijk);
  };
  return { pressed, turnBy, zoomBy, keys, jump };
}

export function SurfacePane({ stage, hidden }: { readonly stage: Stage; readonly hidden: boolean }) {
  const surface = useSurface(hidden);
  const { canvas, tries, box, drawn } = surface;
  const { pressed, turnBy, zoomBy, keys, jump } = useSteering(surface);
  const maximised = stage.maximised.value === "surface";
  const { session, attention } = useDesk();
  const isEmpty = session.stats.value.segments.every(({ voxels }) => !voxels);
  return (
    <section
      ref={(section) => {
        box.current = section;
        attention.ref("pane-surface")(section);
      }}
      class="pane surface"
      hidden={hidden}
      id="pane-surface"
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
        zoomBy(Math.exp(-travelOf(e) / 400));
      }}
    >
      <canvas key={tries} ref={canvas} class="image" aria-hidden="true" />
      <div class="tl">
        <b>3D</b> {t("mask surface")}
      </div>
      {drawn?.triangles === 0 && isEmpty && <p class="small faint">{t("Nothing is marked yet")}</p>}
      <div class="tr2">
        <button
          type="button"
          aria-label={maximised ? t("Show all panes") : t("Maximise 3D")}
          title={maximised ? t("Show all panes") : t("Maximise 3D")}
          onPointerDown={(e) => e.stopPropagation()}
          onClick={() => {
            stage.maximise(maximised ? null : "surface");
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
