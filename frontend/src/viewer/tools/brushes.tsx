/** Tools that paint or erase round the cursor. */

import { GROW_DEFAULTS, type PaintRules } from "../../editor/types";
import { RADIUS_RANGE, TOLERANCE_RANGE, setRadius, stepRadius, stepTolerance, toleranceWords } from "../brushes";
import { t } from "../language";
import { Slider, Switch } from "../panels/controls";
import type { Session } from "../session";
import { change, settings } from "../settings";
import type { Brush, ToolDefinition } from "./tool";

/** The selected segment and what must not be touched. */
export function rulesOf(session: Session): PaintRules {
  return { segment: session.segment.value, overwrite: settings.value.overwrite, locked: [...session.locked.value] };
}

/** What all brushes share: a stroke from press to release, the preview, the radius by Shift + wheel, one dab by Enter. */
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

export function Radius({ brush }: { readonly brush: Brush }) {
  const mm = settings.value[brush.radius];
  return (
    <Slider
      id="radius"
      label={t("Radius")}
      value={mm}
      min={RADIUS_RANGE.min}
      max={RADIUS_RANGE.max}
      step={0.5}
      text={`${mm} mm`}
      hint={t("Shift + wheel")}
      onChange={(v) => setRadius(brush, v)}
    />
  );
}

export function Overwrite() {
  return (
    <Switch
      id="overwrite"
      label={t("Overwrite others")}
      on={settings.value.overwrite}
      hint={t("Take voxels of other segments too; locked ones stay")}
      onChange={(overwrite) => change({ overwrite })}
    />
  );
}

/** Voxels; the slider goes in steps that look alike, the last is no ceiling. */
const CEILINGS = [1e3, 2e3, 5e3, 10e3, 20e3, 40e3, 60e3, 100e3, 150e3, 250e3, 500e3, 1e6, 0];

function Ceiling() {
  const { ceiling } = settings.value;
  const at = Math.max(
    0,
    CEILINGS.findIndex((n) => n === 0 || (ceiling > 0 && n >= ceiling)),
  );
  const text = ceiling === 0 ? t("None") : ceiling >= 1e6 ? `${ceiling / 1e6} M` : `${ceiling / 1000} k`;
  return (
    <Slider
      id="ceiling"
      label={t("Voxel ceiling")}
      value={ceiling === 0 ? CEILINGS.length - 1 : at}
      min={0}
      max={CEILINGS.length - 1}
      text={text}
      hint={t("A stroke that would take more takes nothing")}
      onChange={(n) => change({ ceiling: CEILINGS[n] })}
    />
  );
}

const growBrush: Brush = {
  radius: "radiusMm",
  previews: true,
  stroke: (session) => {
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
  Settings: ({ desk: { session } }) => {
    const now = settings.value;
    return (
      <>
        <Radius brush={growBrush} />
        <Slider
          id="tolerance"
          label={t("Tolerance")}
          value={now.tolerance}
          min={TOLERANCE_RANGE.min}
          max={TOLERANCE_RANGE.max}
          text={`${now.tolerance} %, ${t(toleranceWords(now.tolerance))}`}
          hint={t("Alt + wheel; smaller paints more")}
          onChange={(tolerance) => change({ tolerance })}
        />
        <Ceiling />
        <hr />
        {session.isInLungs && (
          <Switch
            id="use-limit"
            label={t("Stay inside the lung")}
            on={now.useLimit}
            keys="I"
            hint={t("Keep to the lung when the cursor lies in it")}
            onChange={(useLimit) => change({ useLimit })}
          />
        )}
        <Switch
          id="planar"
          label={t("This slice only")}
          on={now.planar}
          keys="S"
          hint={t("Grow in the axial slice only")}
          onChange={(planar) => change({ planar })}
        />
        <Switch
          id="grow-fill"
          label={t("Fill holes")}
          on={now.growFill}
          hint={t("Take in what the region encloses")}
          onChange={(growFill) => change({ growFill })}
        />
        <Switch
          id="exclude-vessels"
          label={t("Exclude vessels")}
          on={now.excludeVessels}
          hint={t("Nothing brighter than the seed by more than 200 HU")}
          onChange={(excludeVessels) => change({ excludeVessels })}
        />
        <Switch
          id="strong-control"
          label={t("Strong leakage control")}
          on={now.strongControl}
          hint={t("Cut bridges thinner than 4 mm instead of 2 mm")}
          onChange={(strongControl) => change({ strongControl })}
        />
        <Switch
          id="live-preview"
          label={t("Live preview")}
          on={now.livePreview}
          hint={t("Show what a stroke would take")}
          onChange={(livePreview) => change({ livePreview })}
        />
        <Overwrite />
      </>
    );
  },
});

const sphereBrush: Brush = {
  radius: "sphereMm",
  pressure: true,
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
  stroke: (session, plane) => {
    const now = settings.value;
    return {
      tool: "erase",
      radiusMm: now.eraserMm,
      planar: now.eraserPlanar,
      plane,
      segments: now.eraseAll ? null : [session.segment.value],
      locked: [...session.locked.value],
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
