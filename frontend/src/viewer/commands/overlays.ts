/** What lies over the image. */

import type { Desk } from "../desk/desk";
import type { Command } from "./command";

export function overlayCommands({ session, review }: Desk): Command[] {
  const prediction = () =>
    session.context.overlays.find((o) => o.key === "prediction")?.key ?? session.context.overlays[0]?.key;
  return [
    {
      id: "mask",
      title: "Mask, shown or hidden",
      group: "Overlays",
      keys: ["H"],
      run: () => {
        session.selection.showMask(!session.selection.maskShown.value);
      },
    },
    {
      id: "prediction",
      title: "Pre-annotation, shown or hidden",
      group: "Overlays",
      keys: ["P"],
      when: () => prediction() !== undefined,
      run: () => {
        const key = prediction();
        if (key) session.overlays.toggle(key);
      },
    },
    {
      id: "difference",
      title: "Difference, shown or hidden",
      group: "Overlays",
      keys: ["D"],
      when: () => review.against.value !== null,
      run: () => {
        session.overlays.compareWith(session.overlays.difference.value ? null : (review.against.value?.key ?? null));
      },
    },
  ];
}
