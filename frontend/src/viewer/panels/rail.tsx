/** The slim rail of tools. */

import { TOOL_KEYS } from "../commands/tools";
import { useDesk } from "../desk";
import type { ToolName } from "../session";
import { Kbd, withKey } from "./controls";
import { Icon, type IconName } from "./icons";

const ICONS: Readonly<Record<ToolName, IconName>> = {
  select: "mouse-pointer-2", window: "contrast", pan: "move", grow: "sprout", sphere: "globe", circle: "circle-dot", erase: "eraser",
  measure: "ruler", comment: "message-square",
};

export function Rail() {
  const desk = useDesk();
  const { session } = desk;
  const { can } = session.context;
  const offered = TOOL_KEYS.filter(({ tool, needsEdit }) => (needsEdit ? can.edit : tool === "comment" ? can.comment : true));
  return (
    <nav class="rail" aria-label="Tools">
      {offered.map(({ tool, title, key }, n) => (
        <>
          {n > 0 && groupOf(tool) !== groupOf(offered[n - 1].tool) && <hr />}
          <button
            type="button" key={tool} class={`tool${session.tool.value === tool ? " on" : ""}`} aria-pressed={session.tool.value === tool}
            aria-label={title} title={withKey(title, key)} data-testid={`tool-${tool}`} onClick={() => { session.tool.value = tool; }}
          ><Icon name={ICONS[tool]} size="lg" /><Kbd keys={key} /></button>
        </>
      ))}
      <span class="grow" />
      <button type="button" class="tool" aria-label="All keys" title="All keys (?)" onClick={() => { desk.sheet.value = "keys"; }}><Icon name="keyboard" size="lg" /></button>
      <button type="button" class="tool" aria-label="Settings" title="Settings" data-testid="settings" onClick={() => { desk.sheet.value = "settings"; }}><Icon name="settings-2" size="lg" /></button>
    </nav>
  );
}

function groupOf(tool: ToolName): number { return tool === "select" || tool === "window" || tool === "pan" ? 0 : tool === "measure" || tool === "comment" ? 2 : 1; }
