/** The panes: image, marks, corners, strip of the mask along the slices. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { withKey } from "../../ground/shortcuts";
import { useDesk } from "../desk/desk";
import { t } from "../../ground/language";
import { whyNotHere } from "../tools/possible";
import { PanePointer } from "../panes/pointer";
import type { Pane } from "../stage/pane";
import type { Stage } from "../stage/stage";
import { PLANES } from "../scan/session";
import { toolOf } from "../tools";
import { Icon } from "../controls/icons";
import { PaneBar } from "./panebar";
import { PriorPane } from "./prior";
import { SurfacePane } from "./surface";
import { flatOf, Corner, Letters, ScaleBar, Strip, Pins, Hud } from "./paneparts";

export function Panes() {
  const desk = useDesk();
  const stage = desk.stage.value;
  const { session } = desk;
  return (
    <main>
      <PaneBar />
      {stage ? (
        <PaneGrid stage={stage} />
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

function PaneGrid({ stage }: { readonly stage: Stage }) {
  // An X-ray has one plane, and no surface.
  const one = flatOf(stage) ? "axial" : stage.maximised.value;
  const { prior } = useDesk();
  const large = one === null && stage.layout.value === "large";
  const compare = prior !== null && one === null && stage.layout.value === "compare";
  return (
    <div
      class={`panes on-dark${one ? " single" : ""}${large ? " large" : ""}${compare ? " compare" : ""}`}
      data-large={large ? stage.session.activePlane.value : undefined}
    >
      {PLANES.map((plane) => (
        <PaneBox
          key={plane}
          stage={stage}
          pane={stage.panes[plane]}
          hidden={compare ? plane !== stage.session.activePlane.value : one !== null && one !== plane}
        />
      ))}
      {compare && <PriorPane prior={prior} />}
      <SurfacePane stage={stage} hidden={large || compare || (one !== null && one !== "surface")} />
    </div>
  );
}

/** What a pane is drawn on, kept at the size of its box, and its pointer. */
function usePane(stage: Stage, pane: Pane) {
  const desk = useDesk();
  const box = useRef<HTMLElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const element = useRef<HTMLDivElement>(null);
  const marks = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const host = box.current,
      image = canvas.current,
      holder = element.current,
      over = marks.current;
    if (!host || !image || !holder || !over) return;
    desk.images.hosts.set(pane.plane, { canvas: image, element: holder });
    pane.markOn(over);
    const resize = () => {
      const { clientWidth: width, clientHeight: height } = host;
      if (!width || !height) return;
      const ratio = Math.min(devicePixelRatio || 1, 2);
      for (const c of [image, over]) {
        c.width = Math.round(width * ratio);
        c.height = Math.round(height * ratio);
      }
      desk.images.painter?.resize(pane, width, height);
    };
    const watcher = new ResizeObserver(resize);
    watcher.observe(host);
    resize();
    void pane.load();
    const detach = new PanePointer(desk, stage, pane).attach(host);
    return () => {
      watcher.disconnect();
      detach();
      desk.images.hosts.delete(pane.plane);
      pane.markOn(null);
    };
  }, [pane]);
  return { box, canvas, element, marks };
}

function PaneBox({ stage, pane, hidden }: { readonly stage: Stage; readonly pane: Pane; readonly hidden: boolean }) {
  const { session } = stage;
  const { attention } = useDesk();
  const { box, canvas, element, marks } = usePane(stage, pane);
  const { layout } = pane.geometry;
  const active = session.activePlane.value === pane.plane;
  const index = session.cross.value[layout.across];
  void stage.planes.turned.value;
  return (
    <section
      ref={(section) => {
        box.current = section;
        attention.ref(`pane-${pane.plane}`)(section);
      }}
      class={`pane${active ? " active" : ""}`}
      hidden={hidden}
      id={`pane-${pane.plane}`}
      tabIndex={0}
      data-testid={`pane-${pane.plane}`}
      aria-label={t("{plane} view, slice {n} of {size}", {
        plane: t(layout.name),
        n: index + 1,
        size: pane.geometry.slices,
      })}
      onFocus={() => {
        session.activate(pane.plane);
      }}
      style={`cursor:${whyNotHere(stage, toolOf(session), pane) ? "not-allowed" : toolOf(session).cursor}`}
    >
      <canvas ref={canvas} class="image" aria-hidden="true" />
      <div ref={element} class="stage" style="position:absolute" aria-hidden="true" />
      <canvas ref={marks} class="marks" aria-hidden="true" />
      <Corner stage={stage} pane={pane} index={index} />
      <Letters stage={stage} pane={pane} />
      <Maximise stage={stage} pane={pane} />
      <ScaleBar stage={stage} pane={pane} />
      {!flatOf(stage) && <Strip stage={stage} pane={pane} index={index} />}
      <Pins stage={stage} pane={pane} />
      <Hud stage={stage} pane={pane} />
    </section>
  );
}

function Maximise({ stage, pane }: { readonly stage: Stage; readonly pane: Pane }) {
  const maximised = stage.maximised.value === pane.plane;
  const words = maximised ? t("Show all panes") : t("Maximise {plane}", { plane: t(pane.geometry.layout.name) });
  return (
    <div class="tr2" hidden={flatOf(stage)}>
      <button
        type="button"
        aria-label={words}
        title={withKey(words, "F")}
        data-testid={`maximise-${pane.plane}`}
        onClick={() => {
          stage.maximise(maximised ? null : pane.plane);
        }}
      >
        <Icon name={maximised ? "minimize-2" : "maximize-2"} size="sm" />
      </button>
    </div>
  );
}
