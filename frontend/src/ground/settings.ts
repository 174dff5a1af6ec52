/**
 * What one person has set up. The server keeps it for every browser (docs/formats.md), and the browser keeps a copy: it
 * is there before the first paint, and it outlives days without a network. Every name is sent by itself, so that two
 * browsers that change different things do not undo each other.
 */

import { effect, signal } from "@preact/signals";
import { isTable, readKept, type Shape } from "./check";
import type * as contract from "./contract";
import { ENGLISH } from "./language";

export interface NamedWindow {
  readonly name: string;
  readonly level: number;
  readonly width: number;
}

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
  thresholdMm: number;
  thresholdLo: number;
  thresholdHi: number;
  thresholdPlanar: boolean;
  /** Most voxels of one stroke of the growing brush; 0 = no ceiling. */
  ceiling: number;
  growFill: boolean;
  /** Slices before and behind that lasso and scissors take too. */
  lineSlices: number;
  cutOutside: boolean;
  cutAll: boolean;
  sizeMm: number;
  smoothMm: number;
  islandsMl: number;
  marginMm: number;
  copyInto: boolean;
  moreOperations: boolean;
  /** Switches of the brushes stay as they are from one scan to the next; else each begins as the viewer has them. */
  switchesLast: boolean;
  /** Width of the right panel in CSS pixels; 0 = the page's own. */
  sideWidth: number;
  /** The radius of a plain brush follows the pressure of a pen. */
  penPressure: boolean;
  opacity: number;
  crosshair: boolean;
  /** The small picture of the whole patient on the axial pane. */
  scout: boolean;
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
  /** Of the page round the images, which are black in each. */
  theme: "dark" | "light" | "system";
  /** BCP 47 tag of the language of the page. */
  language: string;
  /** Keys that the person has set instead of the viewer's, by command. */
  keys: Readonly<Record<string, readonly string[]>>;
  /** Commands used last from the palette, newest first. */
  recent: readonly string[];
}

export const DEFAULTS: Settings = {
  radiusMm: 15,
  tolerance: 30,
  useLimit: true,
  planar: false,
  excludeVessels: false,
  strongControl: false,
  livePreview: true,
  overwrite: false,
  sphereMm: 8,
  circleMm: 8,
  eraserMm: 8,
  eraserPlanar: false,
  eraseAll: false,
  thresholdMm: 8,
  thresholdLo: -750,
  thresholdHi: -300,
  thresholdPlanar: false,
  ceiling: 250_000,
  growFill: true,
  lineSlices: 0,
  cutOutside: false,
  cutAll: false,
  sizeMm: 1,
  smoothMm: 3,
  islandsMl: 0.5,
  marginMm: 0,
  copyInto: false,
  moreOperations: false,
  switchesLast: true,
  sideWidth: 0,
  penPressure: true,
  opacity: 34,
  crosshair: true,
  scout: true,
  smooth: true,
  slabMm: 10,
  slabEverywhere: true,
  regionKind: "ellipse",
  cineFps: 12,
  windows: [],
  rendering: "auto",
  theme: "dark",
  language: ENGLISH,
  keys: {},
  recent: [],
};

/** A copy of the settings: `saved` counts the changes that the server has taken. */
export type Copy = Pick<contract.Settings, "saved" | "values">;

/** The browser's copy, with the names that the server does not have yet. */
export interface Kept extends Copy {
  readonly unsent: readonly string[];
}

const KEPT: Shape<Kept> = "saved:i values:{* unsent:[s";

type Name = keyof Settings;

const SEND_AFTER_MS = 800,
  AGAIN_AFTER_MS = 15_000;

export const settings = signal<Settings>(DEFAULTS);

/** Switches of the brushes: away from their defaults they are said at the cursor. */
const SWITCHES = [
  "useLimit",
  "planar",
  "excludeVessels",
  "strongControl",
  "growFill",
  "overwrite",
  "eraserPlanar",
  "eraseAll",
  "thresholdPlanar",
] as const;

/** A scan was opened: the switches of the brushes are as the person wants them to begin. */
export function beginScan(): void {
  if (settings.value.switchesLast) return;
  const back = Object.fromEntries(SWITCHES.map((name) => [name, DEFAULTS[name]]));
  if (SWITCHES.some((name) => settings.value[name] !== DEFAULTS[name])) change(back);
}

export function change(part: Partial<Settings>): void {
  settings.value = { ...settings.value, ...part };
}

/** Everything back to the defaults but what a person has made or chosen by name: keys, windows, the language. */
export function resetSettings(): void {
  const { keys, recent, windows, language } = settings.value;
  settings.value = { ...DEFAULTS, keys, recent, windows, language };
}

/**
 * The settings to begin with: the server's, unless the page came from a cache and the browser knows better, and over
 * them what was never sent. Names that are unknown or of another kind than the default are left out.
 */
export function merge(
  server: Copy,
  kept: Kept | null,
): { readonly values: Settings; readonly saved: number; readonly unsent: ReadonlySet<string> } {
  const base = kept && kept.saved > server.saved ? kept : server;
  const unsent = new Set((kept?.unsent ?? []).filter((name) => name in DEFAULTS));
  let values = DEFAULTS;
  for (const name of Object.keys(DEFAULTS) as Name[]) {
    const from = unsent.has(name) ? kept : base;
    const value = from?.values[name];
    if (fits(name, value)) values = { ...values, [name]: value };
  }
  return { values, saved: base.saved, unsent };
}

function fits(name: Name, value: unknown): boolean {
  if (name === "keys") return isTable(value) && Object.values(value).every(isTexts);
  if (name === "recent") return isTexts(value);
  if (name === "windows")
    return (
      Array.isArray(value) &&
      value.every(
        (w) =>
          isTable(w) &&
          typeof w["name"] === "string" &&
          typeof w["level"] === "number" &&
          typeof w["width"] === "number",
      )
    );
  if (typeof DEFAULTS[name] === "object") return isTable(value);
  return typeof value === typeof DEFAULTS[name];
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((inner) => typeof inner === "string");
}
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** What a full or closed store does not take, the server has. */
function put(store: Pick<Storage, "setItem">, key: string, text: string): void {
  try {
    store.setItem(key, text);
  } catch {
    /* as said above */
  }
}

/**
 * Take up a person's settings and keep them from now on: in `store` at once, on the server by `send` a little later.
 * `send` gets the changed names (null: back to the default) and answers the new count; when it throws, it is tried
 * again. Answers how to stop.
 */
export function keepSettings(
  user: string,
  server: Copy,
  store: Pick<Storage, "getItem" | "setItem">,
  send: (values: Readonly<Record<string, unknown>>) => Promise<Copy>,
): () => void {
  const key = `voxloop.settings.${user}`;
  const begun = merge(server, readKept(store.getItem(key), KEPT));
  let { saved } = begun;
  const unsent = new Set(begun.unsent);
  let before = begun.values,
    timer: ReturnType<typeof setTimeout> | undefined;
  let isSending = false;
  settings.value = begun.values;

  const write = () => put(store, key, JSON.stringify({ saved, values: settings.value, unsent: [...unsent] }));
  const flush = async () => {
    clearTimeout(timer);
    if (isSending || unsent.size === 0) return;
    isSending = true;
    const sent = settings.value,
      names = [...unsent] as Name[];
    try {
      ({ saved } = await send(
        Object.fromEntries(names.map((name) => [name, same(sent[name], DEFAULTS[name]) ? null : sent[name]])),
      ));
      for (const name of names) if (settings.value[name] === sent[name]) unsent.delete(name);
      write();
      isSending = false;
      if (unsent.size) timer = setTimeout(() => void flush(), SEND_AFTER_MS);
    } catch {
      isSending = false;
      timer = setTimeout(() => void flush(), AGAIN_AFTER_MS);
    }
  };
  if (unsent.size) timer = setTimeout(() => void flush(), SEND_AFTER_MS);
  const stop = effect(() => {
    const now = settings.value;
    const changed = (Object.keys(now) as Name[]).filter((name) => now[name] !== before[name]);
    before = now;
    if (!changed.length) return;
    for (const name of changed) unsent.add(name);
    write();
    clearTimeout(timer);
    timer = setTimeout(() => void flush(), SEND_AFTER_MS);
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}
