/** The keyboard: which press is which command. */

import { computed, effect } from "@preact/signals";
import type { Desk } from "../desk/desk";
import { toolOf } from "../tools";
import { allCommands, commandsOf } from ".";
import { keyNames, noteReplaced } from "../../ground/shortcuts";

/** Listen to the keyboard. Single letters are off while typing and while a dialog is open. */
export function listenToKeys(desk: Desk): () => void {
  const commands = computed(() => commandsOf(desk));
  const forget = effect(() => noteReplaced(allCommands(desk)));
  const down = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") {
      toolOf(desk.session).escape?.(desk);
      return;
    }
    const names = keyNames(event);
    if (isTyped(event.target, names) || isOfControl(event)) return;
    if (event.key === " ") {
      desk.holdSpace(true);
      event.preventDefault();
      return;
    }
    for (const name of names) {
      const own = commands.value.filter((c) => c.keys.includes(name));
      // A key of ours is never the browser's too, even where it does nothing now: ' and / would open Firefox's search.
      if (own.length) event.preventDefault();
      const command = own.find((c) => c.when?.() ?? true);
      const idle = own.find((c) => c.idle)?.idle;
      if (command) command.run();
      else if (idle) desk.session.notices.say(idle());
      else continue;
      return;
    }
  };
  const up = (event: KeyboardEvent) => {
    if (event.key === " ") desk.holdSpace(false);
  };
  addEventListener("keydown", down);
  addEventListener("keyup", up);
  return () => {
    removeEventListener("keydown", down);
    removeEventListener("keyup", up);
    forget();
  };
}

/** Whether a press goes into a text. Ctrl with a letter does not, except for the undo and redo of the text. */
function isTyped(target: EventTarget | null, names: readonly string[]): boolean {
  const isText =
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.matches("textarea, select, input:not([type=range], [type=checkbox], [type=radio])"));
  return isText && !names.some((name) => name.startsWith("Ctrl+") && name !== "Ctrl+Z" && name !== "Ctrl+Y");
}

/** Whether a focused control keeps this press, because it works it. */
function isOfControl({ target, key, ctrlKey, metaKey }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.matches("input[type=range], input[type=radio]") && /^(Arrow|Page|Home|End)/.test(key)) return true;
  if (target.matches("[role=tab]") && key.startsWith("Arrow")) return true;
  return (
    target.matches("button, a, summary, [role=tab], input") && !ctrlKey && !metaKey && (key === "Enter" || key === " ")
  );
}
