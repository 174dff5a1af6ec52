/** Windows and thick slices. */

import { known } from "../../ground/known";
import type { Desk } from "../desk/desk";
import { presetsOf } from "../geometry/window";
import { t } from "../../ground/language";
import { nextSlab, stepSlab } from "../stage/slabs";
import { change, settings } from "../../ground/settings";
import type { Command } from "./command";

/** Windows, the common ones and those of the person. */
export function windowCommands(desk: Desk): Command[] {
  const { session } = desk;
  return [
    ...presetsOf({ modality: session.context.scan.modality, hu_range: [0, 1] })
      .slice(0, 3)
      .map(({ name }, n) => ({
        id: `window-${n + 1}`,
        title: "Window: {name}",
        values: { name: t(name) },
        group: "Looking" as const,
        keys: [`Shift+${n + 1}`],
        run: () => {
          const { level, width } = known(presetsOf(session.index)[n], `Window ${n + 1}`);
          session.showWindow({ level, width });
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
        const { level, width } = known(settings.value.windows[n], `Window ${n + 4}`);
        session.showWindow({ level, width });
      },
    })),
  ];
}

/** Thick slices, and running through them. */
export function slabCommands(desk: Desk): Command[] {
  const { session } = desk;
  const volume = session.context.scan.shape_zyx[0] > 1;
  return [
    {
      id: "slab",
      title: "Slab: thin, MIP, MinIP, average",
      group: "Looking",
      keys: ["Shift+S"],
      offered: volume,
      run: () => {
        if (desk.stage.value) nextSlab(desk.stage.value);
      },
    },
    {
      id: "slab-thicker",
      title: "Thicker slab",
      group: "Looking",
      keys: ["Shift+PageUp"],
      offered: volume,
      run: () => {
        if (desk.stage.value) stepSlab(desk.stage.value, 2);
      },
    },
    {
      id: "slab-thinner",
      title: "Thinner slab",
      group: "Looking",
      keys: ["Shift+PageDown"],
      offered: volume,
      run: () => {
        if (desk.stage.value) stepSlab(desk.stage.value, -2);
      },
    },
    {
      id: "cine",
      title: "Cine, play or stop",
      group: "Looking",
      keys: ["Shift+P"],
      offered: volume,
      run: () => desk.stage.value?.cine.toggle(),
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
  ];
}
