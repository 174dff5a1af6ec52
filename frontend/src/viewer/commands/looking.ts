/** Slices, crosshair, windows, panes. */

import type { Desk } from "../desk";
import { PRESETS } from "../image/window";
import { scrollBy } from "../panes/pointer";
import { PLANES } from "../session";
import { change, settings } from "../settings";
import type { Command } from "./command";

export function lookingCommands(desk: Desk): Command[] {
  const { session } = desk;
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
  return [
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
    { id: "who", title: "Who set this voxel", group: "Looking", keys: ["Shift+W"], run: () => void desk.revisions.askWho(desk.view.value?.cursor.value?.ijk ?? session.cross.value) },
    { id: "history", title: "Earlier revisions", group: "Looking", keys: ["Shift+H"], run: () => { desk.tab.value = "history"; desk.revisions.slide(); } },
    { id: "clear-measurements", title: "Clear measurements", group: "Looking", keys: ["Delete"], when: () => (desk.view.value?.measurements.value.length ?? 0) > 0, run: () => { if (desk.view.value) desk.view.value.measurements.value = []; } },
  ];
}
