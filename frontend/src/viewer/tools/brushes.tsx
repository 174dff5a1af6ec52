/** Tools that paint or erase round the cursor. */

import { GROW_DEFAULTS, type PaintRules, type Tool } from "../../editor/types";
import { Ceiling, GrowSwitches, Overwrite, Radius, Tolerance } from "./brushsettings";
import { stepRadius, stepTolerance } from "./radius";
import { t } from "../../ground/language";
import { Switch } from "../controls/controls";
import type { ScanSession } from "../scan/session";
import { change, settings } from "../../ground/settings";
import type { Brush, ToolDefinition } from "./tool";

/** The selected segment and what must not be touched. */
export function rulesOf(session: ScanSession): PaintRules {
  return {
    segment: session.selection.segment.value,
    overwrite: settings.value.overwrite,
    locked: [...session.selection.locked.value],
  };
}

/**
 * What all brushes share: a stroke from press to release, the preview, the radius by Shift + wheel, one dab by Enter.
 */
export function brushTool(
  brush: Brush,
  facts: Omit<ToolDefinition, "group" | "cursor" | "needs" | "brush">,
): ToolDefinition {
  return {
    group: "draw",
    cursor: "none",
    needs: "edit",
    brush,
    press: ({ session, strokes }, at) => {
      if (!at.voxel || !strokes.value?.begin(at.pane.plane, at.voxel, at.reach)) return null;
      session.goTo(at.voxel);
      return {
        move: ({ voxel, reach }) => {
          if (voxel) strokes.value?.move(voxel, reach);
        },
        end: () => void strokes.value?.end(),
        cancel: () => void strokes.value?.cancel(),
      };
    },
    hover: ({ strokes }, plane, at) => strokes.value?.hover(plane, at),
    wheel: (_, event, notches) => {
      if (event.shiftKey) stepRadius(brush, notches);
      return event.shiftKey;
    },
    enter: ({ session, strokes }) => void strokes.value?.touch(session.activePlane.value, session.cross.value),
    escape: ({ strokes }) => void strokes.value?.cancel(),
    ...facts,
  };
}

/** A stroke of the growing brush by the settings of now. */
export function growStroke(session: ScanSession): Extract<Tool, { tool: "grow" }> {
  const now = settings.value;
  return {
    tool: "grow",
    radiusMm: now.radiusMm,
    ...rulesOf(session),
    params: {
      tolerance: now.tolerance,
      useLimit: now.useLimit,
      planar: now.planar,
      ceiling: now.ceiling || null,
      fill: now.growFill,
      upperHu: now.excludeVessels ? 200 : null,
      openMm: now.strongControl ? 2 : GROW_DEFAULTS.openMm,
    },
  };
}

/** Words for what is switched otherwise than it comes. */
export const said = (words: readonly (readonly [isOtherwise: boolean, word: string])[]): string[] =>
  words.filter(([isOtherwise]) => isOtherwise).map(([, word]) => word);

export const overwrites = (): readonly [boolean, string] => [settings.value.overwrite, t("overwrites others")];

const growBrush: Brush = {
  radius: "radiusMm",
  previews: true,
  stroke: growStroke,
  switched: ({ isInLungs }) => {
    const now = settings.value;
    return said([
      [now.planar, t("this slice")],
      [isInLungs && !now.useLimit, t("limit off")],
      [!now.growFill, t("holes stay")],
      [now.excludeVessels, t("without vessels")],
      [now.strongControl, t("strong control")],
      overwrites(),
    ]);
  },
};

export const grow: ToolDefinition = brushTool(growBrush, {
  name: "grow",
  title: "Region-growing brush",
  words: "Let the circle just enclose the lesion, then press on it.",
  key: "G",
  icon: "sprout",
  wheel: (_, event, notches) => {
    if (event.shiftKey) stepRadius(growBrush, notches);
    else if (event.altKey) stepTolerance(notches);
    return event.shiftKey || event.altKey;
  },
  Settings: ({ host: { session } }) => (
    <>
      <Radius brush={growBrush} />
      <Tolerance />
      <Ceiling />
      <hr />
      <GrowSwitches isInLungs={session.isInLungs} />
      <Overwrite />
    </>
  ),
});

const sphereBrush: Brush = {
  radius: "sphereMm",
  pressure: true,
  switched: () => said([overwrites()]),
  stroke: (session) => ({ tool: "sphere", radiusMm: settings.value.sphereMm, ...rulesOf(session) }),
};

export const sphere: ToolDefinition = brushTool(sphereBrush, {
  name: "sphere",
  title: "Sphere brush",
  words: "Paints a ball in 3D. It also brings back what was erased.",
  key: "B",
  icon: "globe",
  Settings: () => (
    <>
      <Radius brush={sphereBrush} />
      <hr />
      <Overwrite />
    </>
  ),
});

const circleBrush: Brush = {
  radius: "circleMm",
  pressure: true,
  switched: () => said([overwrites()]),
  stroke: (session, plane) => ({ tool: "circle", radiusMm: settings.value.circleMm, plane, ...rulesOf(session) }),
};

export const circle: ToolDefinition = brushTool(circleBrush, {
  name: "circle",
  title: "Circle brush",
  words: "Paints in this slice only. It also brings back what was erased.",
  key: "N",
  icon: "circle-dot",
  straight: true,
  Settings: () => (
    <>
      <Radius brush={circleBrush} />
      <hr />
      <Overwrite />
    </>
  ),
});

const eraserBrush: Brush = {
  radius: "eraserMm",
  erases: true,
  pressure: true,
  switched: () =>
    said([
      [settings.value.eraserPlanar, t("this slice")],
      [settings.value.eraseAll, t("all segments")],
    ]),
  stroke: (session, plane) => {
    const now = settings.value;
    return {
      tool: "erase",
      radiusMm: now.eraserMm,
      planar: now.eraserPlanar,
      plane,
      segments: now.eraseAll ? null : [session.selection.segment.value],
      locked: [...session.selection.locked.value],
    };
  },
};

export const eraser: ToolDefinition = brushTool(eraserBrush, {
  name: "erase",
  title: "Eraser",
  words: "What you erase stays erased: growing never brings it back.",
  key: "E",
  icon: "eraser",
  straight: () => settings.value.eraserPlanar,
  Settings: () => {
    const now = settings.value;
    return (
      <>
        <Radius brush={eraserBrush} />
        <hr />
        <Switch
          id="eraser-planar"
          label={t("This slice only")}
          on={now.eraserPlanar}
          hint={t("A circle instead of a ball")}
          onChange={(eraserPlanar) => change({ eraserPlanar })}
        />
        <Switch
          id="erase-all"
          label={t("All segments")}
          on={now.eraseAll}
          hint={t("Not only the selected one; locked ones stay")}
          onChange={(eraseAll) => change({ eraseAll })}
        />
      </>
    );
  },
});
