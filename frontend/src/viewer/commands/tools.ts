/** Choosing a tool. */

import type { Desk } from "../desk";
import type { ToolName } from "../session";
import type { Command } from "./command";

export const TOOL_KEYS: readonly { readonly tool: ToolName; readonly title: string; readonly key: string; readonly needsEdit?: boolean }[] = [
  { tool: "select", title: "Select and scroll", key: "V" },
  { tool: "window", title: "Window", key: "W" },
  { tool: "pan", title: "Pan and zoom", key: "Z" },
  { tool: "grow", title: "Region-growing brush", key: "G", needsEdit: true },
  { tool: "sphere", title: "Sphere brush", key: "B", needsEdit: true },
  { tool: "circle", title: "Circle brush", key: "N", needsEdit: true },
  { tool: "erase", title: "Eraser", key: "E", needsEdit: true },
  { tool: "measure", title: "Measure", key: "M" },
  { tool: "comment", title: "Comment", key: "C" },
];

export function toolCommands({ session }: Desk): Command[] {
  const { can } = session.context;
  return TOOL_KEYS.map(({ tool, title, key, needsEdit }) => ({
    id: `tool-${tool}`, title, group: "Tools" as const, keys: [key],
    offered: needsEdit ? can.edit : tool === "comment" ? can.comment : true, run: () => { session.tool.value = tool; },
  }));
}
