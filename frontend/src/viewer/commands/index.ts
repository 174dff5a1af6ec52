/** Every action with its words and key: the keyboard, the sheet of keys and the palette read this one list. */

import type { Desk } from "../desk/desk";
import { clickingCommands } from "./clicking";
import type { Command } from "./command";
import { drawingCommands } from "./drawing";
import { keysOf } from "../../ground/shortcuts";
import { lookingCommands } from "./looking";
import { operationCommands } from "./operations";
import { overlayCommands } from "./overlays";
import { proposedCommands } from "./proposed";
import { reviewCommands } from "./review";
import { scanCommands } from "./scan";
import { toolCommands } from "./tools";

export { titleOf, type Command, type Group } from "./command";

/** Every command with the viewer's own keys, those of other roles too: a key that one of them has is not free. */
export function allCommands(desk: Desk): Command[] {
  return [
    toolCommands,
    drawingCommands,
    clickingCommands,
    proposedCommands,
    operationCommands,
    lookingCommands,
    overlayCommands,
    scanCommands,
    reviewCommands,
  ].flatMap((commands) => commands(desk));
}

/** What this person can do on this page, whether possible just now or not, with the keys they have set. */
export function commandsOf(desk: Desk): Command[] {
  return allCommands(desk)
    .filter((command) => command.offered !== false)
    .map((command) => ({ ...command, keys: keysOf(command) }));
}
