/** Slices, crosshair, windows, panes. */

import { known } from "../../ground/known";
import type { Desk } from "../desk/desk";
import { t } from "../../ground/language";
import { PLANES } from "../scan/session";
import { change, settings } from "../../ground/settings";
import type { Command } from "./command";
import { withKey } from "../../ground/shortcuts";
import { windowCommands, slabCommands } from "./windows";

export function lookingCommands(desk: Desk): Command[] {
  return [
    windowCommands,
    slabCommands,
    planeCommands,
    layoutCommands,
    movingCommands,
    paneCommands,
    pastCommands,
  ].flatMap((commands) => commands(desk));
}

/** Oblique planes. */
function planeCommands(desk: Desk): Command[] {
  const { session } = desk;
  const active = () => desk.stage.value?.panes[session.activePlane.value];
  const volume = session.context.scan.shape_zyx[0] > 1;
  /** Locked planes stay as they stand. */
  const turn = (degrees: number) => {
    const pane = active();
    const areLocked = () => !desk.stage.value?.planes.turning.value;
    if (pane && !areLocked()) desk.stage.value?.planes.turn(pane, (degrees * Math.PI) / 180);
    else session.notices.say(`${withKey(t("The planes are locked: let them turn"), "Shift+O")}.`, "info", areLocked);
  };

  return [
    {
      id: "oblique",
      title: "Oblique planes: turn or lock",
      group: "Looking",
      keys: ["Shift+O"],
      offered: volume,
      run: () => {
        const planes = desk.stage.value?.planes;
        if (planes) planes.toggleTurning();
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
        const planes = desk.stage.value?.planes;
        planes?.straighten();
        if (planes) planes.stopTurning();
      },
    },
  ];
}

/** How the panes are arranged, and the other scan. */
function layoutCommands(desk: Desk): Command[] {
  const { session } = desk;
  const volume = session.context.scan.shape_zyx[0] > 1;
  return [
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
        const stage = desk.stage.value;
        if (stage) {
          stage.maximise(null);
          stage.arrange(stage.layout.value === "four" ? "large" : "four");
        }
      },
    },
  ];
}

/** Slices, crosshair, lesions and zoom. */
function movingCommands(desk: Desk): Command[] {
  const { session } = desk;
  const active = () => desk.stage.value?.panes[session.activePlane.value];
  const scroll = (n: number) => {
    const pane = active();
    if (pane) desk.stage.value?.scroll(pane, n);
  };
  const zoom = (factor: number) => {
    const pane = active();
    if (pane) desk.stage.value?.zoomBy(pane, factor);
  };
  const nudge = (right: number, down: number) => {
    const pane = active();
    if (!pane) return;
    const { layout } = pane.geometry;
    const by = (axis: number) =>
      axis === layout.right
        ? right * (layout.flipRight ? -1 : 1)
        : axis === layout.down
          ? down * (layout.flipDown ? -1 : 1)
          : 0;
    session.goTo(session.cross.value.map((v, axis) => v + by(axis)));
  };
  const volume = session.context.scan.shape_zyx[0] > 1;
  return [
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
    { id: "next-lesion", title: "Next lesion", group: "Looking", keys: ["J"], run: () => desk.lesion.step(1) },
    { id: "previous-lesion", title: "Previous lesion", group: "Looking", keys: ["K"], run: () => desk.lesion.step(-1) },
    { id: "zoom-in", title: "Zoom in", group: "Looking", keys: ["+", "="], run: () => zoom(1.25) },
    { id: "zoom-out", title: "Zoom out", group: "Looking", keys: ["-"], run: () => zoom(0.8) },
  ];
}

/** One pane, and what is shown on all. */
function paneCommands(desk: Desk): Command[] {
  const { session } = desk;
  const volume = session.context.scan.shape_zyx[0] > 1;
  return [
    {
      id: "maximise",
      title: "Maximise the pane, or all panes again",
      group: "Looking",
      keys: ["F"],
      offered: volume,
      run: () => {
        const stage = desk.stage.value;
        if (stage) stage.maximise(stage.maximised.value ? null : session.activePlane.value);
      },
    },
    {
      id: "next-pane",
      title: "Next pane",
      group: "Looking",
      keys: ["Q"],
      offered: volume,
      run: () => {
        session.activate(known(PLANES[(PLANES.indexOf(session.activePlane.value) + 1) % 3], "The next plane"));
        const stage = desk.stage.value;
        if (stage?.maximised.value) stage.maximise(session.activePlane.value);
      },
    },
    { id: "reset", title: "Reset views", group: "Looking", keys: ["0"], run: () => desk.stage.value?.resetViews() },
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
  ];
}

/** Who set what, earlier revisions, and what was measured. */
function pastCommands(desk: Desk): Command[] {
  const { session } = desk;
  return [
    {
      id: "who",
      title: "Who set this voxel",
      group: "Looking",
      keys: ["Shift+W"],
      run: () => void desk.revisions.askWho(desk.stage.value?.cursor.value?.ijk ?? session.cross.value),
    },
    {
      id: "history",
      title: "Earlier revisions",
      group: "Looking",
      keys: ["Shift+H"],
      run: () => {
        desk.turnTo("history");
        desk.attention.await("revision");
      },
    },
    {
      id: "clear-measurements",
      title: "Delete the chosen region, or else all measurements",
      group: "Looking",
      keys: ["Delete"],
      when: () =>
        [...(desk.stage.value?.measurements.value ?? []), ...(desk.stage.value?.regions.list.value ?? [])].some(
          ({ isForeign }) => !isForeign,
        ),
      run: () => {
        const stage = desk.stage.value;
        if (stage && !stage.regions.remove()) {
          stage.measure(stage.measurements.value.filter(({ isForeign }) => isForeign));
          stage.regions.clear();
        }
      },
    },
  ];
}
