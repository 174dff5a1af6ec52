/** Every action with its words and key: the keyboard, the sheet of keys and the palette read this one list. */

import { PAINTING, stepRadius, stepTolerance } from "./brushes";
import type { Desk } from "./desk";
import { PRESETS } from "./image/window";
import { scrollBy } from "./panes/pointer";
import { PLANES, toggled, type ToolName } from "./session";
import { change, settings } from "./settings";

export type Group = "Tools" | "Drawing" | "Looking" | "Overlays" | "Scan" | "Review";

export interface Command {
  readonly id: string;
  readonly title: string;
  readonly group: Group;
  readonly keys: readonly string[];
  /** false: this person has no use for it here, it is not even listed. */
  readonly offered?: boolean;
  /** false: not possible just now. */
  readonly when?: () => boolean;
  readonly run: () => void;
}

export const TOOL_KEYS: readonly { readonly tool: ToolName; readonly title: string; readonly key: string; readonly needsEdit?: boolean }[] = [
  { tool: "select", title: "Select and scroll", key: "V" },
  { tool: "window", title: "Window", key: "W" },
  { tool: "pan", title: "Pan and zoom", key: "Z" },
  { tool: "grow", title: "Region-growing brush", key: "G", needsEdit: true },
  { tool: "sphere", title: "Sphere brush", key: "B", needsEdit: true },
  { tool: "circle", title: "Circle brush", key: "N", needsEdit: true },
  { tool: "erase", title: "Eraser", key: "E", needsEdit: true },
  { tool: "measure", title: "Measure", key: "M" },
  { tool: "comment", title: "Comment", key: "C" },
];

export function commandsOf(desk: Desk): Command[] {
  const { session, work } = desk;
  const can = session.context.can;
  const editable = () => session.editable.value;
  const prediction = () => session.context.overlays.find((o) => o.key === "prediction")?.key ?? session.context.overlays[0]?.key;
  const active = () => desk.view.value?.panes[session.activePlane.value];
  const scroll = (n: number) => { const pane = active(); if (pane && desk.view.value) scrollBy(desk.view.value, pane, n); };
  const zoom = (factor: number) => {
    const pane = active();
    if (!pane) return;
    pane.geometry.zoomAt(factor, pane.geometry.width / 2, pane.geometry.height / 2);
    desk.view.value?.touch(pane);
  };
  const nudge = (right: number, down: number) => {
    const pane = active();
    if (!pane) return;
    const { layout } = pane.geometry;
    const to = [...session.cross.value];
    to[layout.right] += right * (layout.flipRight ? -1 : 1);
    to[layout.down] += down * (layout.flipDown ? -1 : 1);
    session.goTo(to);
  };
  const pickSegment = (n: number) => { const s = session.segments[n]; if (s) session.segment.value = s.id; };
  const painting = () => PAINTING.has(session.tool.value);
  const commands: Command[] = [
    ...TOOL_KEYS.map(({ tool, title, key, needsEdit }) => ({
      id: `tool-${tool}`, title, group: "Tools" as const, keys: [key],
      offered: needsEdit ? can.edit : tool === "comment" ? can.comment : true, run: () => { session.tool.value = tool; },
    })),
    ...session.segments.slice(0, 8).map((segment, n) => ({
      id: `segment-${segment.id}`, title: `Draw ${segment.name}`, group: "Drawing" as const, keys: [String(n + 1)], offered: can.edit, run: () => pickSegment(n),
    })),
    { id: "undo", title: "Undo", group: "Drawing", keys: ["Ctrl+Z"], offered: can.edit, when: editable, run: () => void session.editor.undo() },
    { id: "redo", title: "Redo", group: "Drawing", keys: ["Ctrl+Shift+Z", "Ctrl+Y"], offered: can.edit, when: editable, run: () => void session.editor.redo() },
    { id: "smaller", title: "Smaller brush", group: "Drawing", keys: ["["], offered: can.edit, when: painting, run: () => stepRadius(session.tool.value, -1) },
    { id: "larger", title: "Larger brush", group: "Drawing", keys: ["]"], offered: can.edit, when: painting, run: () => stepRadius(session.tool.value, 1) },
    { id: "less", title: "Tolerance: paint more", group: "Drawing", keys: [","], offered: can.edit, when: () => session.tool.value === "grow", run: () => stepTolerance(-1) },
    { id: "more", title: "Tolerance: paint less", group: "Drawing", keys: ["."], offered: can.edit, when: () => session.tool.value === "grow", run: () => stepTolerance(1) },
    { id: "paint-here", title: "Paint at the crosshair", group: "Drawing", keys: ["Enter"], offered: can.edit, when: () => painting() && editable(), run: () => void desk.strokes.value?.touch(session.activePlane.value, session.cross.value) },
    { id: "limit", title: "Stay inside the lung, on or off", group: "Drawing", keys: ["I"], offered: can.edit, when: editable, run: () => change({ useLimit: !settings.value.useLimit }) },
    { id: "planar", title: "This slice only, on or off", group: "Drawing", keys: ["S"], offered: can.edit, when: editable, run: () => change({ planar: !settings.value.planar }) },
    { id: "lock", title: "Lock or unlock the segment", group: "Drawing", keys: ["L"], offered: can.edit, when: editable, run: () => { session.locked.value = toggled(session.locked.value, session.segment.value); } },
    ...PRESETS.map((preset) => ({
      id: `window-${preset.name}`, title: `Window: ${preset.name}`, group: "Looking" as const, keys: [preset.key],
      run: () => { session.window.value = { level: preset.level, width: preset.width }; },
    })),
    { id: "up", title: "Previous slice", group: "Looking", keys: ["ArrowUp"], run: () => scroll(-1) },
    { id: "down", title: "Next slice", group: "Looking", keys: ["ArrowDown"], run: () => scroll(1) },
    { id: "page-up", title: "Ten slices back", group: "Looking", keys: ["PageUp"], run: () => scroll(-10) },
    { id: "page-down", title: "Ten slices on", group: "Looking", keys: ["PageDown"], run: () => scroll(10) },
    { id: "left", title: "Crosshair to the left", group: "Looking", keys: ["ArrowLeft"], run: () => nudge(-1, 0) },
    { id: "right", title: "Crosshair to the right", group: "Looking", keys: ["ArrowRight"], run: () => nudge(1, 0) },
    { id: "nudge-up", title: "Crosshair up", group: "Looking", keys: ["Alt+ArrowUp"], run: () => nudge(0, -1) },
    { id: "nudge-down", title: "Crosshair down", group: "Looking", keys: ["Alt+ArrowDown"], run: () => nudge(0, 1) },
    { id: "next-lesion", title: "Next lesion", group: "Looking", keys: ["J"], run: () => desk.stepLesion(1) },
    { id: "previous-lesion", title: "Previous lesion", group: "Looking", keys: ["K"], run: () => desk.stepLesion(-1) },
    { id: "zoom-in", title: "Zoom in", group: "Looking", keys: ["+", "="], run: () => zoom(1.25) },
    { id: "zoom-out", title: "Zoom out", group: "Looking", keys: ["-"], run: () => zoom(0.8) },
    { id: "maximise", title: "Maximise the pane, or all panes again", group: "Looking", keys: ["F"], run: () => { const view = desk.view.value; if (view) view.maximised.value = view.maximised.value ? null : session.activePlane.value; } },
    { id: "next-pane", title: "Next pane", group: "Looking", keys: ["Q"], run: () => { session.activePlane.value = PLANES[(PLANES.indexOf(session.activePlane.value) + 1) % 3]; const view = desk.view.value; if (view?.maximised.value) view.maximised.value = session.activePlane.value; } },
    { id: "reset", title: "Reset views", group: "Looking", keys: ["0"], run: () => desk.view.value?.resetViews() },
    { id: "crosshair", title: "Crosshair, on or off", group: "Looking", keys: ["X"], run: () => change({ crosshair: !settings.value.crosshair }) },
    { id: "clear-measurements", title: "Clear measurements", group: "Looking", keys: ["Delete"], when: () => (desk.view.value?.measurements.value.length ?? 0) > 0, run: () => { if (desk.view.value) desk.view.value.measurements.value = []; } },
    { id: "mask", title: "Mask, shown or hidden", group: "Overlays", keys: ["H"], run: () => { session.maskShown.value = !session.maskShown.value; } },
    { id: "prediction", title: "Pre-annotation, shown or hidden", group: "Overlays", keys: ["P"], when: () => prediction() !== undefined, run: () => { const key = prediction(); if (key) session.overlaysShown.value = toggled(session.overlaysShown.value, key); } },
    { id: "difference", title: "Difference, shown or hidden", group: "Overlays", keys: ["D"], when: () => prediction() !== undefined, run: () => { session.difference.value = session.difference.value ? null : prediction() ?? null; } },
    { id: "submit", title: "Submit", group: "Scan", keys: ["Ctrl+Enter"], offered: can.submit, run: () => void work.submit() },
    { id: "skip", title: "Skip this scan", group: "Scan", keys: [], offered: can.skip, run: () => { work.asking.value = { kind: "skip" }; } },
    { id: "block", title: "Block this scan", group: "Scan", keys: [], offered: can.block, run: () => { work.asking.value = { kind: "block" }; } },
    { id: "approve", title: "Approve", group: "Review", keys: ["A"], offered: can.approve, run: () => void work.verdict(desk.corrected ? "correct" : "approve") },
    { id: "return", title: "Return with comments", group: "Review", keys: ["R"], offered: can.return, run: () => desk.askReturn() },
    { id: "keys", title: "All keys", group: "Scan", keys: ["?"], run: () => { desk.sheet.value = "keys"; } },
    { id: "palette", title: "Find a command", group: "Scan", keys: ["Ctrl+K", "/"], run: () => { desk.sheet.value = "palette"; } },
  ];
  return commands.filter((command) => command.offered !== false);
}

/** The name of a key press, as `Command.keys` writes it. */
export function keyName(event: KeyboardEvent): string {
  // By place, not by sign: French keyboards have the digits above.
  const digit = event.getModifierState("AltGraph") ? undefined : /^Digit(\d)$/.exec(event.code)?.[1];
  const bare = digit ?? (event.key.length === 1 ? event.key.toUpperCase() : event.key);
  const shift = event.shiftKey && (bare.length > 1 || digit !== undefined || /[A-Z]/.test(bare));
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${shift ? "Shift+" : ""}${bare}`;
}

/** Listen to the keyboard. Single letters are off while typing and while a dialog is open. */
export function listenToKeys(desk: Desk): () => void {
  const commands = commandsOf(desk);
  const typing = (target: EventTarget | null) =>
    target instanceof HTMLElement && (target.isContentEditable || target.matches("textarea, select, input:not([type=range], [type=checkbox], [type=radio])"));
  const down = (event: KeyboardEvent) => {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const name = keyName(event);
    if (event.key === "Escape") { void desk.strokes.value?.cancel(); return; }
    if (typing(event.target) && !(name.startsWith("Ctrl+") && name !== "Ctrl+Z" && name !== "Ctrl+Y")) return;
    const target = event.target instanceof HTMLElement ? event.target : null;
    // A focused control keeps the keys that work it.
    if (target?.matches("input[type=range], input[type=radio]") && /^(Arrow|Page|Home|End)/.test(event.key)) return;
    if (target?.matches("button, a, summary, [role=tab], input") && !name.startsWith("Ctrl+") && (event.key === "Enter" || event.key === " ")) return;
    if (target?.matches("[role=tab]") && event.key.startsWith("Arrow")) return;
    if (event.key === " ") { desk.spaceHeld.value = true; event.preventDefault(); return; }
    const command = commands.find((c) => c.keys.includes(name) && (c.when?.() ?? true));
    if (!command) return;
    event.preventDefault();
    command.run();
  };
  const up = (event: KeyboardEvent) => { if (event.key === " ") desk.spaceHeld.value = false; };
  addEventListener("keydown", down);
  addEventListener("keyup", up);
  return () => { removeEventListener("keydown", down); removeEventListener("keyup", up); };
}
