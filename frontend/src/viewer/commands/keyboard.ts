/** The keyboard: which press is which command. */

import { computed, effect } from "@preact/signals";
import type { Desk } from "../desk";
import { toolOf } from "../tools";
import { allCommands, commandsOf } from ".";
import { keyNames, noteReplaced } from "./keys";

/** Listen to the keyboard. Single letters are off while typing and while a dialog is open. */
export function listenToKeys(desk: Desk): () => void {
  const commands = computed(() => commandsOf(desk));
  const forget = effect(() => noteReplaced(allCommands(desk)));
  const typing = (target: EventTarget | null) =>
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.matches("textarea, select, input:not([type=range], [type=checkbox], [type=radio])"));
  const down = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    const names = keyNames(event);
    if (event.key === "Escape") {
      toolOf(desk.session).escape?.(desk);
      return;
    }
    if (
      typing(event.target) &&
      !names.some((name) => name.startsWith("Ctrl+") && name !== "Ctrl+Z" && name !== "Ctrl+Y")
    )
      return;
    const target = event.target instanceof HTMLElement ? event.target : null;
    // A focused control keeps the keys that work it.
    if (target?.matches("input[type=range], input[type=radio]") && /^(Arrow|Page|Home|End)/.test(event.key)) return;
    if (
      target?.matches("button, a, summary, [role=tab], input") &&
      !event.ctrlKey &&
      !event.metaKey &&
      (event.key === "Enter" || event.key === " ")
    )
      return;
    if (target?.matches("[role=tab]") && event.key.startsWith("Arrow")) return;
    if (event.key === " ") {
      desk.spaceHeld.value = true;
      event.preventDefault();
      return;
    }
    for (const name of names) {
      const command = commands.value.find((c) => c.keys.includes(name) && (c.when?.() ?? true));
      if (!command) continue;
      event.preventDefault();
      command.run();
      return;
    }
  };
  const up = (event: KeyboardEvent) => {
    if (event.key === " ") desk.spaceHeld.value = false;
  };
  addEventListener("keydown", down);
  addEventListener("keyup", up);
  return () => {
    removeEventListener("keydown", down);
    removeEventListener("keyup", up);
    forget();
  };
}
