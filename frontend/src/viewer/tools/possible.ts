/** Where a tool cannot work, in words. */

import { withKey } from "../../ground/shortcuts";
import { t } from "../../ground/language";
import { figure } from "../../ground/words";
import type { ToolDefinition } from "./tool";
import type { Pane } from "../stage/pane";
import type { Stage } from "../stage/stage";

/** Why a press with this tool does nothing on this pane as it stands; null when it works. */
export function whyNotHere(stage: Stage, tool: ToolDefinition, pane: Pane): string | null {
  const slab = stage.slabs.value[pane.plane];
  if (slab && (tool.group === "draw" || tool.straight))
    return withKey(t("Slab of {mm} mm: draw on thin slices", { mm: figure(pane.thicknessOf(slab.mm)) }), "Shift+S");
  const straight = typeof tool.straight === "function" ? tool.straight() : tool.straight;
  if (straight && pane.isOblique) return withKey(t("Works in straight planes only: set them straight"), "Shift+0");
  return null;
}
