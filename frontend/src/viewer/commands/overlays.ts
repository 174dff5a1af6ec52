/** What lies over the image. */

import type { Desk } from "../desk";
import { toggled } from "../session";
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
        session.maskShown.value = !session.maskShown.value;
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
        if (key) session.overlaysShown.value = toggled(session.overlaysShown.value, key);
      },
    },
    {
      id: "difference",
      title: "Difference, shown or hidden",
      group: "Overlays",
      keys: ["D"],
      when: () => review.against.value !== null,
      run: () => {
        session.difference.value = session.difference.value ? null : (review.against.value?.key ?? null);
      },
    },
  ];
}
