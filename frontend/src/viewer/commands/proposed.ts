/** Going through the lesions that the model proposed. */

import type { Desk } from "../desk/desk";
import { noneProposed } from "../desk/proposed";
import { whyNot } from "../scan/editing";
import type { Command } from "./command";

export function proposedCommands(desk: Desk): Command[] {
  const { session } = desk;
  const { can, overlays } = session.context;
  const offered = overlays.some(({ key }) => key === "prediction");
  const some = () => desk.proposed.list.value.length > 0;
  const editable = () => some() && session.editable.value;
  const idle = () => (some() ? `${whyNot(session, true)}.` : noneProposed());
  return [
    {
      id: "next-proposed",
      title: "Next undecided lesion of the model",
      group: "Proposed lesions",
      keys: ["Alt+W"],
      offered,
      run: () => desk.proposed.step(1),
    },
    {
      id: "previous-proposed",
      title: "Previous undecided lesion of the model",
      group: "Proposed lesions",
      keys: ["Alt+Q"],
      offered,
      run: () => desk.proposed.step(-1),
    },
    {
      id: "accept-proposed",
      title: "Accept the model's lesion, on to the next",
      group: "Proposed lesions",
      keys: ["Alt+A"],
      offered: offered && can.submit,
      when: editable,
      idle,
      run: () => void desk.proposed.accept(),
    },
    {
      id: "drop-proposed",
      title: "Drop the model's lesion, on to the next",
      group: "Proposed lesions",
      keys: ["Alt+X"],
      offered: offered && can.edit,
      when: editable,
      idle,
      run: () => void desk.proposed.drop(),
    },
    {
      id: "regrow-proposed",
      title: "Grow the model's lesion anew",
      group: "Proposed lesions",
      keys: ["Alt+R"],
      offered: offered && can.edit,
      when: editable,
      idle,
      run: () => void desk.proposed.regrow(),
    },
  ];
}
