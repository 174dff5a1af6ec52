/** Keys: their names, those that a person has set, and those that cannot be had. */

import { signal } from "@preact/signals";
import { msg } from "./language";
import { settings } from "./settings";

/** What a key belongs to: a command, with the keys it came with. */
export interface Bound {
  readonly id: string;
  readonly keys: readonly string[];
}

/** US names of the keys that have no letter or digit, by where they lie on the keyboard. */
const POSITIONS: Readonly<Record<string, string>> = {
  BracketLeft: "[",
  BracketRight: "]",
  Comma: ",",
  Period: ".",
  Slash: "/",
  Minus: "-",
  Equal: "=",
  Semicolon: ";",
  Quote: "'",
  Backquote: "`",
};

/**
 * What a press may be called, as `Command.keys` writes it, the likeliest first. Digits go by position, because French
 * keyboards have them above; letters and signs go by what is printed on the key. Where that is no sign of the Latin
 * keyboard (Cyrillic, Greek, Arabic, an umlaut, a dead accent), the position decides. A sign that needs AltGr or Shift
 * is named by the sign alone.
 */
export function keyNames(
  event: Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey" | "getModifierState">,
): string[] {
  const altGraph = event.getModifierState("AltGraph");
  // AltGr is Ctrl + Alt to Windows, but the sign that it makes is meant.
  const control = (event.ctrlKey && !altGraph) || event.metaKey ? "Ctrl+" : "";
  const modifiers = `${control}${event.altKey && !altGraph ? "Alt+" : ""}`;
  const named = (bare: string, byPosition: boolean) => {
    const shift = event.shiftKey && (byPosition || bare.length > 1 || /[A-Z]/.test(bare));
    return `${modifiers}${shift ? "Shift+" : ""}${bare}`;
  };
  const digit = altGraph ? undefined : /^Digit(\d)$/.exec(event.code)?.[1];
  const position = /^Key([A-Z])$/.exec(event.code)?.[1] ?? POSITIONS[event.code];
  const sign = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const names = digit === undefined ? [] : [named(digit, true)];
  if (sign !== "Dead" && /^[\x20-\x7e]+$/.test(sign)) names.push(named(sign, false));
  else if (position) names.push(named(position, /[A-Z]/.test(position)));
  return names;
}

/** The keys of a command: those that the person has set, else its own. */
export function keysOf(command: Bound): readonly string[] {
  return settings.value.keys[command.id] ?? command.keys;
}

/** Own key of a command → the one that the person has set instead ("" when it has none). */
export const replaced = signal<ReadonlyMap<string, string>>(new Map());

export function noteReplaced(commands: readonly Bound[]): void {
  const map = new Map<string, string>();
  for (const command of commands) {
    const now = settings.value.keys[command.id];
    if (now) command.keys.forEach((key, n) => map.set(key, now[n] ?? now[0] ?? ""));
  }
  replaced.value = map;
}

/** What a panel shows for a key that the source names. */
export function currentKey(key: string): string {
  return replaced.value.get(key) ?? key;
}

/** A key as people read it. */
export function keyWords(key: string): string {
  return key
    .replace(/\+$/, "＋")
    .replace("ArrowUp", "↑")
    .replace("ArrowDown", "↓")
    .replace("ArrowLeft", "←")
    .replace("ArrowRight", "→")
    .replace("Enter", "↵")
    .replace("PageUp", "PgUp")
    .replace("PageDown", "PgDn")
    .replaceAll("+", " ")
    .replace("＋", "+");
}

/** Words with the keys that the commands have now; `keys` are those that they came with. */
export function withKey(words: string, ...keys: readonly (string | undefined)[]): string {
  const now = keys
    .map((key) => key && currentKey(key))
    .filter((key) => key)
    .map((key) => keyWords(key as string));
  return now.length ? `${words} (${now.join(", ")})` : words;
}

const TAKEN: readonly (readonly [RegExp, string])[] = [
  [/^Escape$/, msg("Esc drops a stroke and closes dialogs")],
  [/^(Shift\+)?Tab$/, msg("Tab moves from control to control")],
  [/^ $/, msg("Space moves the image")],
  [/^Ctrl\+(Shift\+)?[NTW]$/, msg("the browser opens and closes tabs and windows with it")],
  [/^Ctrl\+(Shift\+)?(Tab|PageUp|PageDown|[1-9])$/, msg("the browser changes tabs with it")],
  [/^(Ctrl\+(Shift\+)?R|F5|Ctrl\+F5)$/, msg("the browser loads the page anew with it")],
  [/^(Ctrl\+L|F6|Alt\+D)$/, msg("the browser goes to its address bar with it")],
  [/^Alt\+Arrow(Left|Right)$/, msg("the browser goes back and forward with it")],
  [/^Ctrl\+[-+=0]$/, msg("the browser makes the text larger and smaller with it")],
  [/^Ctrl\+[ACVX]$/, msg("texts are copied and pasted with it")],
  [/^(Ctrl\+Shift\+[CIJ]|F1[12]|F1|F3|F7|Alt\+F4|Ctrl\+[FPQ])$/, msg("the browser or the system keeps it")],
];

/** Why a key cannot be had, in words; null when it can. */
export function whyTaken(key: string): string | null {
  return TAKEN.find(([form]) => form.test(key))?.[1] ?? null;
}

/** The keys after `id` was given `key`. Whoever had it gets the old one of `id` (`swap`) or goes without. */
export function rebound(
  commands: readonly Bound[],
  id: string,
  key: string,
  swap: boolean,
): Readonly<Record<string, readonly string[]>> {
  const next: Record<string, readonly string[]> = { ...settings.value.keys };
  const own = commands.find((command) => command.id === id);
  if (!own) return next;
  const old = keysOf(own)[0];
  for (const other of commands) {
    const keys = keysOf(other);
    if (other.id === id || !keys.includes(key)) continue;
    const left = keys.filter((k) => k !== key);
    next[other.id] = swap && old ? [old, ...left] : left;
  }
  next[id] = [key];
  for (const command of commands) if (next[command.id]?.join("\n") === command.keys.join("\n")) delete next[command.id];
  return next;
}

/** The keys after `id` got its own ones back; those that now belong to it are taken from others. */
export function restored(commands: readonly Bound[], id: string): Readonly<Record<string, readonly string[]>> {
  const next: Record<string, readonly string[]> = { ...settings.value.keys };
  const own = commands.find((command) => command.id === id);
  delete next[id];
  for (const other of commands) {
    if (!own || other.id === id) continue;
    const keys = keysOf(other);
    const left = keys.filter((key) => !own.keys.includes(key));
    if (left.length < keys.length) next[other.id] = left;
  }
  return next;
}
