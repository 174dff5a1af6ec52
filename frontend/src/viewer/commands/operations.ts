/** Operations on a whole segment, or on the lesion under the cursor. */

import type { Desk } from "../desk/desk";
import { windowFromHere } from "../tools/threshold";
import type { Command } from "./command";

export function operationCommands(desk: Desk): Command[] {
  const { session } = desk;
  const offered = session.context.can.edit;
  const when = () => session.editable.value;
  const make = (id: string, title: string, keys: string[], run: () => void): Command => ({
    id,
    title,
    group: "Drawing",
    keys,
    offered,
    when,
    run,
  });
  const source = () =>
    session.context.overlays.find((o) => o.key === "prediction" && session.overlays.loaded.value.has(o.key));
  return [
    make("interpolate", "Fill between the drawn slices", ["Alt+J"], () => void desk.operations.interpolate()),
    make("fill-holes", "Fill the holes of the segment", ["Shift+U"], () => void desk.operations.fillHoles()),
    make("islands", "Remove small islands of the segment", ["Alt+I"], () => void desk.operations.removeIslands()),
    make("smooth", "Smooth the segment", ["Alt+S"], () => void desk.operations.smooth()),
    make("grow-segment", "Grow the segment by millimetres", ["Alt+G"], () => void desk.operations.grow()),
    make("shrink-segment", "Shrink the segment by millimetres", ["Shift+G"], () => void desk.operations.shrink()),
    make("clear-segment", "Clear the segment", [], () => void desk.operations.clear()),
    make(
      "convert-lesion",
      "The lesion under the cursor becomes the selected segment",
      ["Alt+N"],
      () => void desk.operations.convertLesion(),
    ),
    make("remove-lesion", "Remove the lesion under the cursor", ["Shift+E"], () => void desk.operations.removeLesion()),
    {
      ...make("copy-lesion", "Copy the lesion under the cursor from the pre-annotation", ["Alt+L"], () => {
        const from = source();
        if (from) void desk.operations.copy(from.key, false);
      }),
      when: () => when() && source() !== undefined,
    },
    make("threshold-here", "Threshold from under the cursor", ["Alt+T"], () => {
      windowFromHere(desk);
      session.selection.takeTool("threshold");
    }),
  ];
}
