/** The tool of the editor that the selected tool and its settings stand for. */

import { GROW_DEFAULTS, type GrowRefusal, type Plane, type Tool } from "../editor/types";
import type { Session, ToolName } from "./session";
import { change, settings, type Settings } from "./settings";

export const PAINTING: ReadonlySet<ToolName> = new Set<ToolName>(["grow", "sphere", "circle", "erase"]);

export const REFUSALS: Readonly<Record<GrowRefusal, string>> = {
  normal_lung: "Looks like healthy lung: nothing to grow",
  nothing_within_bounds: "Nothing within the bounds here",
  not_loaded: "Still loading here in full resolution",
};

const RADIUS: Partial<Record<ToolName, keyof Settings & ("radiusMm" | "sphereMm" | "circleMm" | "eraserMm")>> = {
  grow: "radiusMm", sphere: "sphereMm", circle: "circleMm", erase: "eraserMm",
};

export const RADIUS_RANGE = { min: 1, max: 50 } as const;
export const TOLERANCE_RANGE = { min: 15, max: 60 } as const;

export function radiusOf(tool: ToolName, now: Settings = settings.value): number | null {
  const name = RADIUS[tool];
  return name ? now[name] : null;
}

export function setRadius(tool: ToolName, mm: number): void {
  const name = RADIUS[tool];
  if (name) change({ [name]: Math.min(Math.max(Math.round(mm * 2) / 2, RADIUS_RANGE.min), RADIUS_RANGE.max) });
}

/** One notch larger or smaller: fine steps on small brushes. */
export function stepRadius(tool: ToolName, notches: number): void {
  const now = radiusOf(tool);
  if (now !== null) setRadius(tool, now + notches * (now < 8 || (now === 8 && notches < 0) ? 0.5 : 1));
}

export function stepTolerance(notches: number): void {
  const value = settings.value.tolerance + notches;
  change({ tolerance: Math.min(Math.max(value, TOLERANCE_RANGE.min), TOLERANCE_RANGE.max) });
}

/** Words for a tolerance: what a radiologist would choose it for. */
export function toleranceWords(tolerance: number): string {
  return tolerance <= 22 ? "faint" : tolerance <= 27 ? "generous" : tolerance <= 32 ? "standard" : tolerance <= 42 ? "solid" : "strict";
}

/** The editor's tool for a stroke in `plane`; null for tools that do not paint. */
export function editorTool(session: Session, plane: Plane): Tool | null {
  const now = settings.value;
  const rules = { segment: session.segment.value, overwrite: now.overwrite, locked: [...session.locked.value] };
  switch (session.tool.value) {
    case "grow":
      return {
        tool: "grow", radiusMm: now.radiusMm, ...rules,
        params: {
          tolerance: now.tolerance, useLimit: now.useLimit, planar: now.planar,
          upperHu: now.excludeVessels ? 200 : null, openMm: now.strongControl ? 2 : GROW_DEFAULTS.openMm,
        },
      };
    case "sphere": return { tool: "sphere", radiusMm: now.sphereMm, ...rules };
    case "circle": return { tool: "circle", radiusMm: now.circleMm, plane, ...rules };
    case "erase":
      return {
        tool: "erase", radiusMm: now.eraserMm, planar: now.eraserPlanar, plane,
        segments: now.eraseAll ? null : [session.segment.value], locked: rules.locked,
      };
    default: return null;
  }
}

/** Why painting is not possible now, in words; null when it is. */
export function whyNot(session: Session): string | null {
  const save = session.save.value;
  if (save.kind === "read-only" && save.reason === "other-tab") return "This scan is being drawn on in another tab";
  if (!session.editable.value) return "Read only: this mask cannot be changed";
  if (save.kind === "conflict") return "Choose a version first";
  if (!session.maskReady.value) return "The mask is still loading";
  const segment = session.segment.value;
  if (session.locked.value.has(segment)) return `${session.segmentName(segment)} is locked`;
  if (!session.maskShown.value || session.hidden.value.has(segment)) return `${session.segmentName(segment)} is hidden`;
  return null;
}
