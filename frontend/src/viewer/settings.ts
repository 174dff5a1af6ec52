/** What one person has set up, kept in this browser across scans. */

import { signal, effect } from "@preact/signals";

export interface NamedWindow { readonly name: string; readonly level: number; readonly width: number }

export interface Settings {
  radiusMm: number;
  tolerance: number;
  useLimit: boolean;
  planar: boolean;
  excludeVessels: boolean;
  strongControl: boolean;
  livePreview: boolean;
  overwrite: boolean;
  sphereMm: number;
  circleMm: number;
  eraserMm: number;
  eraserPlanar: boolean;
  eraseAll: boolean;
  opacity: number;
  crosshair: boolean;
  /** Smooth: interpolated pixels; off shows the voxels as squares. */
  smooth: boolean;
  /** Thickness of a slab, and whether it holds for all panes or the active one. */
  slabMm: number;
  slabEverywhere: boolean;
  regionKind: "ellipse" | "rectangle";
  /** Slices a second of the cine. */
  cineFps: number;
  /** This person's own windows. */
  windows: readonly NamedWindow[];
  rendering: "auto" | "gpu" | "cpu";
}

export const DEFAULTS: Settings = {
  radiusMm: 15, tolerance: 30, useLimit: true, planar: false, excludeVessels: false, strongControl: false, livePreview: true,
  overwrite: false, sphereMm: 8, circleMm: 8, eraserMm: 8, eraserPlanar: false, eraseAll: false, opacity: 34, crosshair: true,
  smooth: true, slabMm: 10, slabEverywhere: true, regionKind: "ellipse", cineFps: 12, windows: [], rendering: "auto",
};

const KEY = "voxloop.viewer.settings";

function restore(): Settings {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Settings>;
    const known = Object.entries(kept).filter(([name, value]) => typeof value === typeof DEFAULTS[name as keyof Settings]);
    return { ...DEFAULTS, ...Object.fromEntries(known) };
  } catch {
    return { ...DEFAULTS };
  }
}

export const settings = signal<Settings>(restore());

export function change(part: Partial<Settings>): void {
  settings.value = { ...settings.value, ...part };
}

effect(() => {
  const text = JSON.stringify(settings.value);
  try { localStorage.setItem(KEY, text); } catch { /* a full or closed store: the settings last for this page only */ }
});
