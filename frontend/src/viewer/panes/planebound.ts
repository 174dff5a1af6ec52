/** Where a tool cannot work, in words. */

import { withKey } from "../commands/keys";
import { t } from "../language";
import type { ToolDefinition } from "../tools/tool";
import type { Pane, View } from "./view";

/** Why a press with this tool does nothing on this pane as it stands; null when it works. */
export function whyNotHere(view: View, tool: ToolDefinition, pane: Pane): string | null {
  const slab = view.slabs.value[pane.plane];
  if (slab && (tool.group === "draw" || tool.straight))
    return withKey(t("Slab of {mm} mm: draw on thin slices", { mm: slab.mm }), "Shift+S");
  const straight = typeof tool.straight === "function" ? tool.straight() : tool.straight;
  if (straight && pane.askew) return withKey(t("Works in straight planes only: set them straight"), "Shift+0");
  return null;
}
