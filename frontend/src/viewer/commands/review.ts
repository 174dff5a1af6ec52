/** Verdicts. */

import type { Desk } from "../desk";
import type { Command } from "./command";

export function reviewCommands(desk: Desk): Command[] {
  const { session, work } = desk;
  const { can } = session.context;
  return [
    { id: "approve", title: "Approve", group: "Review", keys: ["A"], offered: can.approve, run: () => void work.verdict(desk.corrected ? "correct" : "approve") },
    { id: "return", title: "Return with comments", group: "Review", keys: ["R"], offered: can.return, run: () => desk.askReturn() },
  ];
}
