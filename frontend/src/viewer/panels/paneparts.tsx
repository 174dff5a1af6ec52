/** What stands on a pane beside image and marks. */

import { useEffect, useRef } from "preact/hooks";
import { useDesk } from "../desk/desk";
import { SLAB_NAMES } from "../geometry/slab";
import { t } from "../../ground/language";
import { figure } from "../../ground/words";
import type { Pane } from "../stage/pane";
import type { Stage } from "../stage/stage";
import { brushOf } from "../tools";
import { middleOf } from "../geometry/grid";

/** Pixels between the cursor and the words beside it, and between these and the pane's edge. */
const HUD_GAP = 18;
const HUD_EDGE = 20;

export function flatOf(stage: Stage): boolean {
  return stage.session.geometry.shapeZyx[0] === 1;
}

/** Plane, slice and slab. */
export function Corner({ stage, pane, index }: { readonly stage: Stage; readonly pane: Pane; readonly index: number }) {
  void stage.moved.value;
  const { slab } = pane;
  return (
    <div class="tl">
      <b>{flatOf(stage) ? t("X-ray") : t(pane.geometry.layout.name)}</b>{" "}
      <span data-testid={`slice-${pane.plane}`} hidden={flatOf(stage)}>
        {pane.isOblique ? t("oblique") : `${index + 1} / ${pane.geometry.slices}`}
      </span>
      {slab && (
        <>
          {" "}
          <b data-testid={`slab-${pane.plane}`} title={t("The mask is that of the middle slice")}>
            {t(SLAB_NAMES[slab.kind])} {figure(pane.thicknessOf(slab.mm))} mm
          </b>
        </>
      )}
    </div>
  );
}

export function Letters({ stage, pane }: { readonly stage: Stage; readonly pane: Pane }) {
  void stage.moved.value;
  // How an X-ray was taken is not stored with it: no letters are better than wrong ones.
  if (flatOf(stage)) return null;
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
export function ScaleBar({ stage, pane }: { readonly stage: Stage; readonly pane: Pane }) {
  void stage.moved.value;
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

/** A bar for each slice, 10 pixels for the slice with most; `top`: the last slice is the uppermost row. */
function drawProfile(context: CanvasRenderingContext2D, profile: Uint32Array, top: boolean): void {
  const n = profile.length;
  const most = Math.max(...profile);
  context.clearRect(0, 0, 10, n);
  context.fillStyle = "#e8ac00";
  profile.forEach((marked, s) => {
    if (!marked) return;
    const width = Math.max(1.5, 10 * Math.sqrt(marked / most));
    context.fillRect(10 - width, top ? n - 1 - s : s, width, 1);
  });
}

/** How much is marked on each slice; press to go there. */
export function Strip({ stage, pane, index }: { readonly stage: Stage; readonly pane: Pane; readonly index: number }) {
  const { session } = stage;
  const { images } = useDesk();
  const strip = useRef<HTMLCanvasElement>(null);
  const drawn = useRef(false);
  const { mirror } = session;
  const version = mirror?.version.value;
  const n = pane.geometry.slices;
  const { across } = pane.geometry.layout;
  const top = pane.geometry.layout.name === "Axial" && session.geometry.lpsFromIjk[2][across] > 0;
  useEffect(() => {
    if (!strip.current || !mirror) return;
    const profile = mirror.profile(across);
    // A first context takes tens of milliseconds, in which the first images wait: none while there is nothing to draw.
    if (!drawn.current && profile.every((marked) => marked === 0)) return;
    const context = strip.current.getContext("2d", { willReadFrequently: images.onProcessor });
    if (!context) return;
    drawn.current = true;
    strip.current.height = n;
    drawProfile(context, profile, top);
  }, [version, n]);
  const go = (event: PointerEvent) => {
    if (!(event.buttons & 1)) return;
    event.stopPropagation();
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const row = Math.min(Math.max(Math.floor(((event.clientY - box.top) / box.height) * n), 0), n - 1);
    const to = [...session.cross.value];
    to[across] = top ? n - 1 - row : row;
    session.goTo(to);
  };
  const row = top ? n - 1 - index : index;
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
          stage.scroll(pane, e.key === "ArrowUp" ? -1 : 1);
        }
      }}
    >
      <canvas ref={strip} class="strip" width={10} height={n} aria-hidden="true" />
      <i class="spos" style={`top:${((row + 0.5) / n) * 100}%`} />
    </div>
  );
}

/** Comments whose voxel lies on the shown slice or beside it. */
export function Pins({ stage, pane }: { readonly stage: Stage; readonly pane: Pane }) {
  const desk = useDesk();
  void stage.moved.value;
  const { across } = pane.geometry.layout;
  const index = stage.session.cross.value[across];
  const pins = [
    ...desk.work.comments.value.map((c, n) => ({
      n: n + 1,
      ijk: c.ijk,
      label: t("Comment {n}, {author}", { n: n + 1, author: c.author }),
      closed: c.state === "resolved",
    })),
    ...desk.work.talk.drafts.value.map((c, n) => ({
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
        const [x, y] = pane.geometry.toScreen(middleOf(ijk));
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
              if (n <= desk.work.comments.value.length) desk.comments.show(n - 1);
              else {
                desk.turnTo("comments");
                stage.session.goTo(ijk);
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

function switchedWords({ session }: Stage): string {
  return (brushOf(session)?.switched?.(session) ?? []).join(", ");
}

/**
 * What the tool says beside the cursor, and which of its switches are not as they come; on the side with more room. It
 * breaks into lines and stays in the pane.
 */
export function Hud({ stage, pane }: { readonly stage: Stage; readonly pane: Pane }) {
  const hud = stage.hud.value;
  const cursor = stage.cursor.value;
  const switched = switchedWords(stage);
  if (cursor?.plane !== pane.plane || !(hud || switched)) return null;
  const { width } = pane.geometry;
  const left = cursor.x > width / 2;
  const room = (left ? cursor.x : width - cursor.x) - HUD_GAP - HUD_EDGE;
  return (
    <div
      class={`hud ${hud?.tone ?? "plain"}${left ? "" : " right"}`}
      data-testid="hud"
      style={
        `left:${cursor.x + (left ? -HUD_GAP : HUD_GAP)}px;top:${Math.max(cursor.y - 40, 22)}px;` +
        `max-width:${Math.max(room, HUD_GAP)}px`
      }
    >
      {hud && <b>{hud.title}</b>}
      {hud?.detail && <span>{hud.detail}</span>}
      {switched && <em data-testid="switched">{switched}</em>}
    </div>
  );
}
