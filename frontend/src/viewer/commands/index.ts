/** Every action with its words and key: the keyboard, the sheet of keys and the palette read this one list. */

import type { Desk } from "../desk";
import type { Command } from "./command";
import { drawingCommands } from "./drawing";
import { lookingCommands } from "./looking";
import { overlayCommands } from "./overlays";
import { reviewCommands } from "./review";
import { scanCommands } from "./scan";
import { toolCommands } from "./tools";

export type { Command, Group } from "./command";

/** What this person can do on this page, whether possible just now or not. */
export function commandsOf(desk: Desk): Command[] {
  return [toolCommands, drawingCommands, lookingCommands, overlayCommands, scanCommands, reviewCommands]
    .flatMap((commands) => commands(desk)).filter((command) => command.offered !== false);
}
