/** The keyboard: which press is which command. */

import type { Desk } from "../desk";
import { toolOf } from "../tools";
import { commandsOf } from ".";

/** The name of a key press, as `Command.keys` writes it. */
export function keyName(event: KeyboardEvent): string {
  // By place, not by sign: French keyboards have the digits above.
  const digit = event.getModifierState("AltGraph") ? undefined : /^Digit(\d)$/.exec(event.code)?.[1];
  const bare = digit ?? (event.key.length === 1 ? event.key.toUpperCase() : event.key);
  const shift = event.shiftKey && (bare.length > 1 || digit !== undefined || /[A-Z]/.test(bare));
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${shift ? "Shift+" : ""}${bare}`;
}

/** Listen to the keyboard. Single letters are off while typing and while a dialog is open. */
export function listenToKeys(desk: Desk): () => void {
  const commands = commandsOf(desk);
  const typing = (target: EventTarget | null) =>
    target instanceof HTMLElement && (target.isContentEditable || target.matches("textarea, select, input:not([type=range], [type=checkbox], [type=radio])"));
  const down = (event: KeyboardEvent) => {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const name = keyName(event);
    if (event.key === "Escape") { toolOf(desk.session).escape?.(desk); return; }
    if (typing(event.target) && !(name.startsWith("Ctrl+") && name !== "Ctrl+Z" && name !== "Ctrl+Y")) return;
    const target = event.target instanceof HTMLElement ? event.target : null;
    // A focused control keeps the keys that work it.
    if (target?.matches("input[type=range], input[type=radio]") && /^(Arrow|Page|Home|End)/.test(event.key)) return;
    if (target?.matches("button, a, summary, [role=tab], input") && !name.startsWith("Ctrl+") && (event.key === "Enter" || event.key === " ")) return;
    if (target?.matches("[role=tab]") && event.key.startsWith("Arrow")) return;
    if (event.key === " ") { desk.spaceHeld.value = true; event.preventDefault(); return; }
    const command = commands.find((c) => c.keys.includes(name) && (c.when?.() ?? true));
    if (!command) return;
    event.preventDefault();
    command.run();
  };
  const up = (event: KeyboardEvent) => { if (event.key === " ") desk.spaceHeld.value = false; };
  addEventListener("keydown", down);
  addEventListener("keyup", up);
  return () => { removeEventListener("keydown", down); removeEventListener("keyup", up); };
}
