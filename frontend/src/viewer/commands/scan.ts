/** The scan as a piece of work, and the sheets. */

import type { Desk } from "../desk";
import type { Command } from "./command";

export function scanCommands(desk: Desk): Command[] {
  const { session, work } = desk;
  const { can } = session.context;
  return [
    { id: "submit", title: "Submit", group: "Scan", keys: ["Ctrl+Enter"], offered: can.submit, run: () => void work.submit() },
    { id: "skip", title: "Skip this scan", group: "Scan", keys: [], offered: can.skip, run: () => { work.asking.value = { kind: "skip" }; } },
    { id: "block", title: "Block this scan", group: "Scan", keys: [], offered: can.block, run: () => { work.asking.value = { kind: "block" }; } },
    { id: "offline", title: "Take this batch offline", group: "Scan", keys: ["Shift+O"], offered: session.context.stage === "annotation" && session.context.offline_days > 0, run: () => { work.asking.value = { kind: "offline" }; } },
    { id: "keys", title: "All keys", group: "Scan", keys: ["?"], run: () => { desk.sheet.value = "keys"; } },
    { id: "palette", title: "Find a command", group: "Scan", keys: ["Ctrl+K", "/"], run: () => { desk.sheet.value = "palette"; } },
  ];
}
