/** Lasso and scissors: what a closed line encloses, on one slice or several. */

import type { Operation } from "../../editor/types";
import { whyNot } from "../brushes";
import type { Desk } from "../desk";
import { t } from "../language";
import { Slider, Switch } from "../panels/controls";
import { type Line, LineDrawing, drawLine } from "../panes/line";
import { change, settings } from "../settings";
import { Overwrite, rulesOf } from "./brushes";
import type { ToolDefinition } from "./tool";

/** The slider's last place stands for every slice. */
export const ALL_SLICES = 21;

function slicesOf(desk: Desk, line: Line): readonly [number, number] {
  const around = settings.value.lineSlices;
  const last = (desk.view.value?.panes[line.plane].geometry.slices ?? 1) - 1;
  return around >= ALL_SLICES ? [0, last] : [Math.max(0, line.index - around), Math.min(last, line.index + around)];
}

function lineTool(
  title: string,
  operation: (desk: Desk, shape: Pick<Extract<Operation, { op: "lasso" }>, "plane" | "slices" | "points">) => Operation,
  facts: Omit<ToolDefinition, "title" | "group" | "cursor" | "needs">,
): ToolDefinition {
  const drawing = (desk: Desk): LineDrawing | null =>
    desk.view.value &&
    new LineDrawing(desk.view.value, (line) => {
      const points = line.points.map(([a, b]) => [a - 0.5, b - 0.5] as const);
      void desk.operations.run(title, operation(desk, { plane: line.plane, slices: slicesOf(desk, line), points }));
    });
  const mayDraw = ({ session, view }: Desk): boolean => {
    const why = whyNot(session);
    if (why && view.value) view.value.hud.value = { title: why, detail: "", tone: "warn" };
    return !why;
  };
  return {
    title,
    group: "draw",
    cursor: "crosshair",
    needs: "edit",
    straight: true,
    press: (desk, at) => {
      if (!at.voxel || !mayDraw(desk)) return null;
      desk.session.goTo(at.voxel);
      return drawing(desk)?.press(at) ?? null;
    },
    draw: (view, pane, context) => drawLine(view, pane, context, settings.value.lineSlices),
    enter: (desk) => {
      const view = desk.view.value;
      if (view && mayDraw(desk)) drawing(desk)?.pressAtCrosshair(view.panes[desk.session.activePlane.value]);
    },
    back: (desk) => drawing(desk)?.back(),
    escape: (desk) => drawing(desk)?.drop(),
    leave: (desk) => drawing(desk)?.drop(),
    ...facts,
  };
}

function Slices() {
  const n = settings.value.lineSlices;
  const text = n === 0 ? t("This slice") : n >= ALL_SLICES ? t("All slices") : t("{n} slices", { n: 2 * n + 1 });
  return (
    <Slider
      id="line-slices"
      label={t("Slices")}
      value={n}
      min={0}
      max={ALL_SLICES}
      text={text}
      hint={t("As many before as behind")}
      onChange={(lineSlices) => change({ lineSlices })}
    />
  );
}

const HOW =
  "Drag round it, or press point by point; Enter closes, Backspace takes the last point back, Escape drops the line.";

export const lasso: ToolDefinition = lineTool(
  "Lasso",
  ({ session }, shape) => ({ op: "lasso", ...shape, ...rulesOf(session) }),
  {
    name: "lasso",
    words: HOW,
    key: "O",
    icon: "lasso",
    Settings: () => (
      <>
        <Slices />
        <hr />
        <Overwrite />
      </>
    ),
  },
);

export const scissors: ToolDefinition = lineTool(
  "Scissors",
  ({ session }, shape) => ({
    op: "scissors",
    ...shape,
    outside: settings.value.cutOutside,
    segments: settings.value.cutAll ? null : [session.segment.value],
    locked: [...session.locked.value],
  }),
  {
    name: "scissors",
    words: HOW,
    key: "U",
    icon: "scissors",
    Settings: () => {
      const now = settings.value;
      return (
        <>
          <div class="segmented" role="group" aria-label={t("What is cut away")}>
            <button
              type="button"
              data-testid="cut-inside"
              aria-pressed={!now.cutOutside}
              title={t("Cut away what the line encloses")}
              onClick={() => change({ cutOutside: false })}
            >
              {t("Inside")}
            </button>
            <button
              type="button"
              data-testid="cut-outside"
              aria-pressed={now.cutOutside}
              title={t("Keep what the line encloses, cut away the rest of these slices")}
              onClick={() => change({ cutOutside: true })}
            >
              {t("Outside")}
            </button>
          </div>
          <hr />
          <Slices />
          <Switch
            id="cut-all"
            label={t("All segments")}
            on={now.cutAll}
            hint={t("Not only the selected one; locked ones stay")}
            onChange={(cutAll) => change({ cutAll })}
          />
        </>
      );
    },
  },
);
