/** Click-to-segment without a mouse. */

import type { Desk } from "../desk/desk";
import { toolOf } from "../tools";
import type { Command } from "./command";

export function clickingCommands(desk: Desk): Command[] {
  const { session } = desk;
  const { can } = session.context;
  const say = (belongs: boolean) => {
    session.selection.takeTool("click");
    session.clicks.point(session.cross.value, belongs);
  };
  return [
    {
      id: "click-belongs",
      title: "Propose a lesion at the crosshair",
      group: "Drawing",
      keys: ["Shift+Y"],
      offered: can.edit,
      when: () => session.editable.value,
      run: () => say(true),
    },
    {
      id: "click-excludes",
      title: "The crosshair does not belong to the proposal",
      group: "Drawing",
      keys: ["Alt+Y"],
      offered: can.edit,
      when: () => session.editable.value,
      run: () => say(false),
    },
    {
      id: "click-back",
      title: "Take the last point back",
      group: "Drawing",
      keys: ["Backspace"],
      offered: can.edit,
      when: () => toolOf(session).back !== undefined,
      run: () => toolOf(session).back?.(desk),
    },
  ];
}
