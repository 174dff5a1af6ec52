/** Choosing a tool. */

import type { Desk } from "../desk";
import { offeredTools } from "../tools";
import type { Command } from "./command";

export function toolCommands({ session }: Desk): Command[] {
  return offeredTools(session.context).map(({ name, title, key }) => ({
    id: `tool-${name}`, title, group: "Tools" as const, keys: [key], run: () => { session.tool.value = name; },
  }));
}
