/** The panes: image, marks, corners, strip of the mask along the slices. */

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Plane } from "../../editor/types";
import { withKey } from "../commands/keys";
import { useDesk } from "../desk";
import { SLAB_NAMES } from "../image/slab";
import { t } from "../language";
import { whyNotHere } from "../panes/planebound";
import { PanePointer } from "../panes/pointer";
import type { Pane, View } from "../panes/view";
import { PLANES } from "../session";
import { toolOf } from "../tools";
import { Icon } from "./icons";
import { PaneBar } from "./panebar";
import { PriorPane } from "./prior";
import { SurfacePane } from "./surface";

export function Panes() {
  const desk = useDesk();
  const view = desk.view.value;
  const { session } = desk;
  return (
    <main>
      <PaneBar />
      {view ? (
        <PaneGrid view={view} />
      ) : (
        <div class="panes empty" role="status">
          {session.phase.value === "failed" ? (
            <div class="note note-bad">
              <Icon name="circle-x" />
              <div>
                <b>{t("The scan could not be opened.")}</b>
                <br />
                {session.failure.value}
                <br />
                <a href="">{t("Try again")}</a>
              </div>
            </div>
          ) : (
            <p class="faint">{t("Opening the scan …")}</p>
          )}
        </div>
      )}
    </main>
  );
}

function PaneGrid({ view }: { readonly view: View }) {
  // An X-ray has one plane, and no surface.
  const one = flatOf(view) ? "axial" : view.maximised.value;
  const { prior } = useDesk();
  const large = one === null && view.layout.value === "large";
  const compare = prior !== null && one === null && view.layout.value === "compare";
  return (
    <div
      class={`panes on-dark${one ? " single" : ""}${large ? " large" : ""}${compare ? " compare" : ""}`}
      data-large={large ? view.session.activePlane.value : undefined}
    >
      {PLANES.map((plane) => (
        <PaneBox
          key={plane}
          view={view}
          pane={view.panes[plane]}
          hidden={compare ? plane !== view.session.activePlane.value : one !== null && one !== plane}
        />
      ))}
      {compare && <PriorPane prior={prior} />}
      <SurfacePane view={view} hidden={large || compare || (one !== null && one !== "surface")} />
    </div>
  );
}

function flatOf(view: View): boolean {
  return view.session.geometry.shapeZyx[0] === 1;
}

function PaneBox({ view, pane, hidden }: { readonly view: View; readonly pane: Pane; readonly hidden: boolean }) {
  const desk = useDesk();
  const { session } = view;
  const box = useRef<HTMLElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const element = useRef<HTMLDivElement>(null);
  const marks = useRef<HTMLCanvasElement>(null);
  const { layout } = pane.geometry;
  const active = session.activePlane.value === pane.plane;

  useLayoutEffect(() => {
    const host = box.current,
      image = canvas.current,
      stage = element.current,
      over = marks.current;
    if (!host || !image || !stage || !over) return;
    desk.hosts.set(pane.plane, { canvas: image, element: stage });
    pane.marks = over;
    const resize = () => {
      const { clientWidth: width, clientHeight: height } = host;
      if (!width || !height) return;
      const ratio = Math.min(devicePixelRatio || 1, 2);
      for (const c of [image, over]) {
        c.width = Math.round(width * ratio);
        c.height = Math.round(height * ratio);
      }
      pane.geometry.resize(width, height);
      view.backend?.resize(pane);
      view.touch(pane);
    };
    const watcher = new ResizeObserver(resize);
    watcher.observe(host);
    resize();
    void pane.load();
    const detach = new PanePointer(desk, view, pane).attach(host);
    return () => {
      watcher.disconnect();
      detach();
      desk.hosts.delete(pane.plane);
      pane.marks = null;
    };
  }, [pane]);

  const index = session.cross.value[layout.across];
  void view.planes.turned.value;
  const maximised = view.maximised.value === pane.plane;
  return (
    <section
      ref={box}
      class={`pane${active ? " active" : ""}`}
      hidden={hidden}
      tabIndex={0}
      data-testid={`pane-${pane.plane}`}
      aria-label={t("{plane} view, slice {n} of {size}", {
        plane: t(layout.name),
        n: index + 1,
        size: pane.geometry.slices,
      })}
      onFocus={() => {
        session.activePlane.value = pane.plane;
      }}
      style={`cursor:${whyNotHere(view, toolOf(session), pane) ? "not-allowed" : toolOf(session).cursor}`}
    >
      <canvas ref={canvas} class="image" aria-hidden="true" />
      <div ref={element} class="stage" style="position:absolute" aria-hidden="true" />
      <canvas ref={marks} class="marks" aria-hidden="true" />
      <Corner view={view} pane={pane} index={index} />
      <Letters view={view} pane={pane} />
      <div class="tr2" hidden={flatOf(view)}>
        <button
          type="button"
          aria-label={maximised ? t("Show all panes") : t("Maximise {plane}", { plane: t(layout.name) })}
          title={withKey(maximised ? t("Show all panes") : t("Maximise {plane}", { plane: t(layout.name) }), "F")}
          data-testid={`maximise-${pane.plane}`}
          onClick={() => {
            view.maximised.value = maximised ? null : pane.plane;
          }}
        >
          <Icon name={maximised ? "minimize-2" : "maximize-2"} size="sm" />
        </button>
      </div>
      <ScaleBar view={view} pane={pane} />
      {!flatOf(view) && <Strip view={view} pane={pane} index={index} />}
      <Pins view={view} pane={pane} />
      <Hud view={view} plane={pane.plane} />
    </section>
  );
}

/** Plane, slice and slab. */
function Corner({ view, pane, index }: { readonly view: View; readonly pane: Pane; readonly index: number }) {
  void view.moved.value;
  const { slab } = pane;
  return (
    <div class="tl">
      <b>{flatOf(view) ? t("X-ray") : t(pane.geometry.layout.name)}</b>{" "}
      <span data-testid={`slice-${pane.plane}`} hidden={flatOf(view)}>
        {pane.askew ? t("oblique") : `${index + 1} / ${pane.geometry.slices}`}
      </span>
      {slab && (
        <>
          {" "}
          <b data-testid={`slab-${pane.plane}`} title={t("The mask is that of the middle slice")}>
            {t(SLAB_NAMES[slab.kind])} {slab.mm} mm
          </b>
        </>
      )}
    </div>
  );
}

function Letters({ view, pane }: { readonly view: View; readonly pane: Pane }) {
  void view.moved.value;
  // How an X-ray was taken is not stored with it: no letters are better than wrong ones.
  if (flatOf(view)) return null;
  const { top, bottom, left, right } = pane.geometry.letters;
  return (
    <>
      <span class="o ot" aria-hidden="true">
        {top}
      </span>
      <span class="o ob" aria-hidden="true">
        {bottom}
      </span>
      <span class="o ol" aria-hidden="true">
        {left}
      </span>
      <span class="o or" aria-hidden="true">
        {right}
      </span>
    </>
  );
}

/** The longest round length under a quarter of the pane. */
function ScaleBar({ view, pane }: { readonly view: View; readonly pane: Pane }) {
  void view.moved.value;
  const { scale, width } = pane.geometry;
  const lengths = [200, 100, 50, 20, 10, 5, 2, 1];
  const mm = lengths.find((l) => l * scale <= Math.max(width / 4, 40)) ?? 1;
  const px = mm * scale;
  return (
    <div class="bl">
      <svg width={px + 2} height="9" aria-hidden="true">
        <path d={`M1 1v7M1 4.5h${px}M${px + 1} 1v7`} stroke="currentColor" fill="none" />
      </svg>
      {mm >= 10 ? `${mm / 10} cm` : `${mm} mm`}
    </div>
  );
}

/** How much is marked on each slice; press to go there. */
function Strip({ view, pane, index }: { readonly view: View; readonly pane: Pane; readonly index: number }) {
  const { session } = view;
  const strip = useRef<HTMLCanvasElement>(null);
  const version = session.mirror.version.value;
  const n = pane.geometry.slices;
  const { across } = pane.geometry.layout;
  const top = pane.geometry.layout.name === "Axial" && session.geometry.lpsFromIjk[2][across] > 0;
  useEffect(() => {
    const context = strip.current?.getContext("2d", { willReadFrequently: view.onProcessor });
    if (!context || !strip.current) return;
    const profile = session.mirror.profile(across);
    const most = profile.reduce((m, v) => Math.max(m, v), 0);
    strip.current.height = n;
    context.clearRect(0, 0, 10, n);
    context.fillStyle = "#e8ac00";
    for (let s = 0; s < n; s++)
      if (profile[s]) {
        const width = Math.max(1.5, 10 * Math.sqrt(profile[s] / most));
        context.fillRect(10 - width, top ? n - 1 - s : s, width, 1);
      }
  }, [version, n]);
  const go = (event: PointerEvent) => {
    if (!(event.buttons & 1)) return;
    event.stopPropagation();
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const place = Math.min(Math.max(Math.floor(((event.clientY - box.top) / box.height) * n), 0), n - 1);
    const to = [...session.cross.value];
    to[across] = top ? n - 1 - place : place;
    session.goTo(to);
  };
  const place = top ? n - 1 - index : index;
  return (
    <div
      class="scroll"
      role="slider"
      tabIndex={-1}
      aria-label={t("{plane} slice", { plane: t(pane.geometry.layout.name) })}
      aria-valuemin={1}
      aria-valuemax={n}
      aria-valuenow={index + 1}
      aria-orientation="vertical"
      title={t("Mask along the slices")}
      onPointerDown={go}
      onPointerMove={go}
      onKeyDown={(e) => {
        if (e.key === "ArrowUp" || e.key === "ArrowDown") {
          e.preventDefault();
          e.stopPropagation();
          view.scroll(pane, e.key === "ArrowUp" ? -1 : 1);
        }
      }}
    >
      <canvas ref={strip} class="strip" width={10} height={n} aria-hidden="true" />
      <i class="spos" style={`top:${((place + 0.5) / n) * 100}%`} />
    </div>
  );
}

/** Comments whose voxel lies on the shown slice or beside it. */
function Pins({ view, pane }: { readonly view: View; readonly pane: Pane }) {
  const desk = useDesk();
  void view.moved.value;
  const { across } = pane.geometry.layout;
  const index = view.session.cross.value[across];
  const pins = [
    ...desk.work.comments.value.map((c, n) => ({
      n: n + 1,
      ijk: c.ijk,
      label: t("Comment {n}, {author}", { n: n + 1, author: c.author }),
      closed: c.state === "resolved",
    })),
    ...desk.work.drafts.value.map((c, n) => ({
      n: desk.work.comments.value.length + n + 1,
      ijk: c.ijk,
      label: t("New comment {n}", { n: n + 1 }),
      closed: false,
    })),
  ];
  return (
    <>
      {pins.map(({ n, ijk, label, closed }) => {
        if (!ijk || closed || Math.abs(ijk[across] - index) > 1) return null;
        const [x, y] = pane.geometry.toScreen(ijk.map((v) => v + 0.5));
        return (
          <button
            key={n}
            type="button"
            class="pin"
            style={`left:${x}px;top:${y}px`}
            aria-label={label}
            title={label}
            onPointerDown={(e) => e.stopPropagation()}
            onClick={() => {
              if (n <= desk.work.comments.value.length) desk.showComment(n - 1);
              else {
                desk.tab.value = "comments";
                view.session.goTo(ijk);
              }
            }}
          >
            {n}
          </button>
        );
      })}
    </>
  );
}

function Hud({ view, plane }: { readonly view: View; readonly plane: Plane }) {
  const hud = view.hud.value;
  const cursor = view.cursor.value;
  if (!hud || cursor?.plane !== plane) return null;
  const left = cursor.x > 190;
  return (
    <div
      class={`hud ${hud.tone}${left ? "" : " right"}`}
      data-testid="hud"
      style={`left:${cursor.x + (left ? -18 : 18)}px;top:${Math.max(cursor.y - 40, 22)}px`}
    >
      <b>{hud.title}</b>
      {hud.detail && <span>{hud.detail}</span>}
    </div>
  );
}
