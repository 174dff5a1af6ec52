/** Figures as words: true minus sign, thin spaces, fixed decimals, in the signs of the reader's language. */

import { ENGLISH, msg, spoken, t } from "./language";

const THIN = "\u2009",
  MINUS = "\u2212";

const formats = new Map<string, Intl.NumberFormat>();

/** A number with fixed decimals. */
export function fixed(value: number, digits: number): string {
  const key = `${spoken()}/${digits}`;
  let format = formats.get(key);
  if (!format)
    formats.set(
      key,
      (format = new Intl.NumberFormat(spoken(), {
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
        useGrouping: spoken() !== ENGLISH,
      })),
    );
  return format.format(value).replace("-", MINUS);
}

/** A number with as many decimals as it has, at most two. */
export function figure(value: number): string {
  return new Intl.NumberFormat(spoken(), { maximumFractionDigits: 2 }).format(value);
}

export function thin(value: number): string {
  const text = fixed(Math.round(value), 0);
  return spoken() === ENGLISH ? text.replace(/\B(?=(\d{3})+(?!\d))/g, THIN) : text;
}

/** Volume in mL without the unit. */
export function ml(value: number): string {
  if (Math.abs(value) >= 1000) return thin(value);
  return fixed(value, value !== 0 && Math.abs(value) < 0.095 ? 2 : 1);
}

export function signed(value: number, text = ml(Math.abs(value))): string {
  return `${value < 0 ? MINUS : "+"}${text}`;
}

export function hu(value: number | null): string {
  return value === null ? "–" : thin(value);
}

export function ago(iso: string | null, now = Date.now()): string {
  if (!iso) return "";
  const seconds = Math.max(0, Math.round((now - Date.parse(iso)) / 1000));
  if (seconds < 5) return t("just now");
  if (seconds < 60) return t("{n} s ago", { n: seconds });
  if (seconds < 3600) return t("{n} min ago", { n: Math.floor(seconds / 60) });
  if (seconds < 86_400) return t("{n} h ago", { n: Math.floor(seconds / 3600) });
  return new Date(iso).toLocaleDateString(spoken(), { day: "numeric", month: "short" });
}

/** The time of the day, to the second. */
export function clock(iso: string): string {
  return new Date(iso).toLocaleTimeString(spoken());
}

const TOOL_WORDS: Readonly<Record<string, string>> = {
  grow: msg("grow"),
  step: msg("step of the last stroke"),
  accept: msg("accept the model's lesion"),
  drop: msg("drop the model's lesion"),
  regrow: msg("regrow the model's lesion"),
  sphere: msg("sphere"),
  circle: msg("circle"),
  erase: msg("erase"),
  threshold: msg("threshold"),
  undo: msg("undo"),
  redo: msg("redo"),
  copy: msg("copy"),
  lasso: msg("lasso"),
  scissors: msg("scissors"),
  polygon: msg("polygon"),
  interpolate: msg("interpolate"),
  resize: msg("grow or shrink"),
  smooth: msg("smooth"),
  "fill-holes": msg("fill holes"),
  "remove-islands": msg("remove islands"),
  "remove-lesion": msg("remove lesion"),
  intersect: msg("intersect"),
  subtract: msg("subtract"),
  convert: msg("convert"),
  clear: msg("clear"),
  merge: msg("merge"),
  restore: msg("restore"),
  propose: msg("propose"),
  revert: msg("revert"),
};

/** Name of a stroke's tool for people: `fill-holes` → `fill holes`. */
export function toolWords(tool: string): string {
  return t(TOOL_WORDS[tool] ?? tool.replaceAll("-", " "));
}

/** With a capital at the start, in the reader's language. */
export function capital(text: string): string {
  return text.charAt(0).toLocaleUpperCase(spoken()) + text.slice(1);
}
