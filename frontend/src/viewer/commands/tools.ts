/** Choosing a tool. */

import type { Desk } from "../desk/desk";
import { TOOLS } from "../tools";
import type { Command } from "./command";

export function toolCommands({ session }: Desk): Command[] {
  return TOOLS.map(({ name, title, key, needs }) => ({
    id: `tool-${name}`,
    title,
    group: "Tools" as const,
    keys: [key],
    offered: !needs || session.context.can[needs],
    run: () => {
      session.selection.takeTool(name);
    },
  }));
}
