/** Comparing, remarks by one key, verdicts. */

import { t } from "../../ground/language";
import type { Desk } from "../desk/desk";
import { REMARKS } from "../work/review";
import type { Command } from "./command";

export function reviewCommands(desk: Desk): Command[] {
  return [differenceCommands, comparingCommands, verdictCommands].flatMap((commands) => commands(desk));
}

const idle = (): string => t("Choose what to compare the mask with first.");

/** Going through the differences. */
function differenceCommands(desk: Desk): Command[] {
  const { session, review } = desk;
  const { can, overlays } = session.context;
  const compares = overlays.length > 0;
  const some = () => review.against.value !== null;
  const open = () => {
    desk.turnTo("review");
  };

  return [
    {
      id: "next-difference",
      title: "Next difference",
      group: "Review",
      keys: ["Shift+J"],
      offered: compares,
      when: some,
      idle,
      run: () => {
        open();
        review.step(1);
      },
    },
    {
      id: "previous-difference",
      title: "Previous difference",
      group: "Review",
      keys: ["Shift+K"],
      offered: compares,
      when: some,
      idle,
      run: () => {
        open();
        review.step(-1);
      },
    },
    {
      id: "check-difference",
      title: "Difference checked, on to the next",
      group: "Review",
      keys: ["Shift+A"],
      offered: compares,
      when: some,
      idle,
      run: () => {
        open();
        review.check();
      },
    },
    {
      id: "revert-difference",
      title: "Take this difference back",
      group: "Review",
      keys: ["Shift+R"],
      offered: compares && can.edit,
      when: () => review.index.value >= 0 && session.editable.value,
      run: () => void review.revert(),
    },
  ];
}

/** With what it is compared, and remarks by one key. */
function comparingCommands(desk: Desk): Command[] {
  const { session, review } = desk;
  const { can, overlays } = session.context;
  const compares = overlays.length > 0;
  const open = () => {
    desk.turnTo("review");
  };

  return [
    {
      id: "compare-next",
      title: "Compare with the next mask",
      group: "Review",
      keys: ["Shift+D"],
      offered: compares,
      when: () => review.others.value.length > 1,
      run: () => {
        open();
        review.compareWithNext();
      },
    },
    {
      id: "heat",
      title: "Where readers disagree, shown or hidden",
      group: "Review",
      keys: ["Shift+V"],
      offered: overlays.some((o) => o.key.startsWith("reader-")),
      run: () => review.toggleHeat(),
    },
    ...REMARKS.map(({ id, words, key }) => ({
      id,
      title: `Comment here: ${words}`,
      group: "Review" as const,
      keys: [key],
      offered: can.comment && session.context.review !== null,
      run: () => desk.remark(words),
    })),
  ];
}

/** Verdicts. */
function verdictCommands(desk: Desk): Command[] {
  const { can } = desk.session.context;
  return [
    {
      id: "approve",
      title: "Approve",
      group: "Review",
      keys: ["A"],
      offered: can.approve,
      run: () => desk.askApproval(),
    },
    {
      id: "return",
      title: "Return with comments",
      group: "Review",
      keys: ["R"],
      offered: can.return,
      run: () => desk.askReturn(),
    },
  ];
}
