/** Dark or light: the page follows the setting; the panes stay black (`.on-dark` in tokens.css). */

import { effect } from "@preact/signals";
import { msg } from "./language";
import { settings, type Settings } from "./settings";

export const THEMES: readonly (readonly [Settings["theme"], string])[] = [
  ["dark", msg("Dark")],
  ["light", msg("Light")],
  ["system", msg("As the system")],
];

/** Dress `root` (the page's `html`) as the setting says, now and after every change. */
export function followTheme(root: { readonly dataset: DOMStringMap }): void {
  effect(() => {
    const { theme } = settings.value;
    if (theme === "system") delete root.dataset["theme"];
    else root.dataset["theme"] = theme === "light" ? "light" : "dark";
  });
}
