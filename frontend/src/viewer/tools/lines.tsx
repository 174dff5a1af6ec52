/** Lasso and scissors: what a closed line encloses, on one slice or several. */

import type { Operation } from "../../editor/types";
import { whyNot } from "../scan/editing";
import { t } from "../../ground/language";
import { Slider, Switch } from "../controls/controls";
import { LineDrawing, drawLine } from "./line";
import { change, settings } from "../../ground/settings";
import { rulesOf } from "./brushes";
import { Overwrite } from "./brushsettings";
import type { Line } from "../stage/marks";
import type { ToolDefinition, ToolHost } from "./tool";

/** The slider's last step stands for every slice. */
export const ALL_SLICES = 21;

function slicesOf(host: ToolHost, line: Line): readonly [number, number] {
  const around = settings.value.lineSlices;
  const last = (host.stage.value?.panes[line.plane].geometry.slices ?? 1) - 1;
  return around >= ALL_SLICES ? [0, last] : [Math.max(0, line.index - around), Math.min(last, line.index + around)];
}

function lineTool(
  title: string,
  operation: (
    host: ToolHost,
    shape: Pick<Extract<Operation, { op: "lasso" }>, "plane" | "slices" | "points">,
  ) => Operation,
  facts: Omit<ToolDefinition, "title" | "group" | "cursor" | "needs">,
): ToolDefinition {
  const drawing = (host: ToolHost): LineDrawing | null =>
    host.stage.value &&
    new LineDrawing(host.stage.value, (line) => {
      const points = line.points.map(([a, b]) => [a - 0.5, b - 0.5] as const);
      void host.operations.run(title, operation(host, { plane: line.plane, slices: slicesOf(host, line), points }));
    });
  const mayDraw = ({ session, stage }: ToolHost): boolean => {
    const why = whyNot(session);
    if (why && stage.value) stage.value.warn(why);
    return !why;
  };
  return {
    title,
    group: "draw",
    cursor: "crosshair",
    needs: "edit",
    straight: true,
    press: (host, at) => {
      if (!at.voxel || !mayDraw(host)) return null;
      host.session.goTo(at.voxel);
      return drawing(host)?.press(at) ?? null;
    },
    draw: (stage, pane, context) => drawLine(stage, pane, context, settings.value.lineSlices),
    enter: (host) => {
      const stage = host.stage.value;
      if (stage && mayDraw(host)) drawing(host)?.pressAtCrosshair(stage.panes[host.session.activePlane.value]);
    },
    back: (host) => drawing(host)?.back(),
    escape: (host) => drawing(host)?.drop(),
    leave: (host) => drawing(host)?.drop(),
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
    segments: settings.value.cutAll ? null : [session.selection.segment.value],
    locked: [...session.selection.locked.value],
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
