/** Slices, crosshair, windows, panes. */

import type { Desk } from "../desk";
import { presetsOf } from "../image/window";
import { t } from "../language";
import { nextSlab, stepSlab } from "../panes/slabs";
import { PLANES } from "../session";
import { change, settings } from "../settings";
import type { Command } from "./command";
import { withKey } from "./keys";

export function lookingCommands(desk: Desk): Command[] {
  const { session } = desk;
  const active = () => desk.view.value?.panes[session.activePlane.value];
  const scroll = (n: number) => {
    const pane = active();
    if (pane) desk.view.value?.scroll(pane, n);
  };
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
  const volume = session.context.scan.shape_zyx[0] > 1;
  /** Locked planes stay as they stand. */
  const turn = (degrees: number) => {
    const pane = active();
    if (pane && desk.view.value?.planes.turning.value) desk.view.value.planes.turn(pane, (degrees * Math.PI) / 180);
    else
      session.notice.value = {
        text: `${withKey(t("The planes are locked: let them turn"), "Shift+O")}.`,
        tone: "info",
      };
  };
  return [
    ...[0, 1, 2].map((n) => ({
      id: `window-${n + 1}`,
      title: "Window: {name}",
      values: { name: t(presetsOf({ modality: session.context.scan.modality, hu_range: [0, 1] })[n].name) },
      group: "Looking" as const,
      keys: [`Shift+${n + 1}`],
      run: () => {
        const { level, width } = presetsOf(session.index)[n];
        session.window.value = { level, width };
      },
    })),
    ...[0, 1, 2, 3, 4].map((n) => ({
      id: `own-window-${n + 1}`,
      title: "Window: your own, number {n}",
      values: { n: n + 1 },
      group: "Looking" as const,
      keys: [`Shift+${n + 4}`],
      when: () => n < settings.value.windows.length,
      run: () => {
        const { level, width } = settings.value.windows[n];
        session.window.value = { level, width };
      },
    })),
    {
      id: "slab",
      title: "Slab: thin, MIP, MinIP, average",
      group: "Looking",
      keys: ["Shift+S"],
      offered: volume,
      run: () => {
        if (desk.view.value) nextSlab(desk.view.value);
      },
    },
    {
      id: "slab-thicker",
      title: "Thicker slab",
      group: "Looking",
      keys: ["Shift+PageUp"],
      offered: volume,
      run: () => {
        if (desk.view.value) stepSlab(desk.view.value, 2);
      },
    },
    {
      id: "slab-thinner",
      title: "Thinner slab",
      group: "Looking",
      keys: ["Shift+PageDown"],
      offered: volume,
      run: () => {
        if (desk.view.value) stepSlab(desk.view.value, -2);
      },
    },
    {
      id: "cine",
      title: "Cine, play or stop",
      group: "Looking",
      keys: ["Shift+P"],
      offered: volume,
      run: () => desk.view.value?.cine.toggle(),
    },
    {
      id: "cine-faster",
      title: "Cine faster",
      group: "Looking",
      keys: ["Shift+ArrowUp"],
      offered: volume,
      run: () => change({ cineFps: Math.min(settings.value.cineFps + 2, 40) }),
    },
    {
      id: "cine-slower",
      title: "Cine slower",
      group: "Looking",
      keys: ["Shift+ArrowDown"],
      offered: volume,
      run: () => change({ cineFps: Math.max(settings.value.cineFps - 2, 2) }),
    },
    {
      id: "oblique",
      title: "Oblique planes: turn or lock",
      group: "Looking",
      keys: ["Shift+O"],
      offered: volume,
      run: () => {
        const planes = desk.view.value?.planes;
        if (planes) planes.turning.value = !planes.turning.value;
      },
    },
    {
      id: "turn-left",
      title: "Turn the other planes to the left by 5°",
      group: "Looking",
      keys: ["Shift+ArrowLeft"],
      offered: volume,
      run: () => turn(-5),
    },
    {
      id: "turn-right",
      title: "Turn the other planes to the right by 5°",
      group: "Looking",
      keys: ["Shift+ArrowRight"],
      offered: volume,
      run: () => turn(5),
    },
    {
      id: "straighten",
      title: "Straight planes",
      group: "Looking",
      keys: ["Shift+0"],
      offered: volume,
      run: () => {
        const planes = desk.view.value?.planes;
        planes?.straighten();
        if (planes) planes.turning.value = false;
      },
    },
    {
      id: "compare",
      title: "Beside the subject's other scan",
      group: "Looking",
      keys: ["Shift+X"],
      offered: Boolean(session.context.prior),
      run: () => desk.compare(),
    },
    {
      id: "layout",
      title: "Two by two, or one large and two small",
      group: "Looking",
      keys: ["Shift+F"],
      offered: volume,
      run: () => {
        const view = desk.view.value;
        if (view) {
          view.maximised.value = null;
          view.layout.value = view.layout.value === "four" ? "large" : "four";
        }
      },
    },
    { id: "up", title: "Previous slice", group: "Looking", keys: ["ArrowUp"], offered: volume, run: () => scroll(-1) },
    { id: "down", title: "Next slice", group: "Looking", keys: ["ArrowDown"], offered: volume, run: () => scroll(1) },
    {
      id: "page-up",
      title: "Ten slices back",
      group: "Looking",
      keys: ["PageUp"],
      offered: volume,
      run: () => scroll(-10),
    },
    {
      id: "page-down",
      title: "Ten slices on",
      group: "Looking",
      keys: ["PageDown"],
      offered: volume,
      run: () => scroll(10),
    },
    { id: "left", title: "Crosshair to the left", group: "Looking", keys: ["ArrowLeft"], run: () => nudge(-1, 0) },
    { id: "right", title: "Crosshair to the right", group: "Looking", keys: ["ArrowRight"], run: () => nudge(1, 0) },
    { id: "nudge-up", title: "Crosshair up", group: "Looking", keys: ["Alt+ArrowUp"], run: () => nudge(0, -1) },
    { id: "nudge-down", title: "Crosshair down", group: "Looking", keys: ["Alt+ArrowDown"], run: () => nudge(0, 1) },
    { id: "next-lesion", title: "Next lesion", group: "Looking", keys: ["J"], run: () => desk.stepLesion(1) },
    { id: "previous-lesion", title: "Previous lesion", group: "Looking", keys: ["K"], run: () => desk.stepLesion(-1) },
    { id: "zoom-in", title: "Zoom in", group: "Looking", keys: ["+", "="], run: () => zoom(1.25) },
    { id: "zoom-out", title: "Zoom out", group: "Looking", keys: ["-"], run: () => zoom(0.8) },
    {
      id: "maximise",
      title: "Maximise the pane, or all panes again",
      group: "Looking",
      keys: ["F"],
      offered: volume,
      run: () => {
        const view = desk.view.value;
        if (view) view.maximised.value = view.maximised.value ? null : session.activePlane.value;
      },
    },
    {
      id: "next-pane",
      title: "Next pane",
      group: "Looking",
      keys: ["Q"],
      offered: volume,
      run: () => {
        session.activePlane.value = PLANES[(PLANES.indexOf(session.activePlane.value) + 1) % 3];
        const view = desk.view.value;
        if (view?.maximised.value) view.maximised.value = session.activePlane.value;
      },
    },
    { id: "reset", title: "Reset views", group: "Looking", keys: ["0"], run: () => desk.view.value?.resetViews() },
    {
      id: "crosshair",
      title: "Crosshair, on or off",
      group: "Looking",
      keys: ["X"],
      run: () => change({ crosshair: !settings.value.crosshair }),
    },
    {
      id: "scout",
      title: "Scout, shown or hidden",
      group: "Looking",
      keys: ["Shift+Z"],
      offered: volume,
      run: () => change({ scout: !settings.value.scout }),
    },
    {
      id: "who",
      title: "Who set this voxel",
      group: "Looking",
      keys: ["Shift+W"],
      run: () => void desk.revisions.askWho(desk.view.value?.cursor.value?.ijk ?? session.cross.value),
    },
    {
      id: "history",
      title: "Earlier revisions",
      group: "Looking",
      keys: ["Shift+H"],
      run: () => {
        desk.tab.value = "history";
        desk.revisions.slide();
      },
    },
    {
      id: "clear-measurements",
      title: "Delete the chosen region, or else all measurements",
      group: "Looking",
      keys: ["Delete"],
      when: () =>
        (desk.view.value?.measurements.value.length ?? 0) + (desk.view.value?.regions.list.value.length ?? 0) > 0,
      run: () => {
        const view = desk.view.value;
        if (view && !view.regions.remove()) {
          view.measurements.value = [];
          view.regions.clear();
        }
      },
    },
  ];
}
