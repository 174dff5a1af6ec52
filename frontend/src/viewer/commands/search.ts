/** Finding a command by words. */

import type { Command } from "./command";

/** Words that people use for the same thing; each of a line finds what is called by another of it. */
const SYNONYMS: readonly (readonly string[])[] = [
  ["erase", "eraser", "delete", "remove", "rubber", "clear", "wipe"],
  ["undo", "back", "revert"],
  ["redo", "again", "repeat"],
  ["brush", "paint", "draw", "pen", "grow"],
  ["window", "contrast", "brightness", "level", "levels", "hu"],
  ["slice", "scroll", "image"],
  ["pane", "view", "layout", "maximise", "maximize", "fullscreen"],
  ["pan", "move", "drag"],
  ["zoom", "magnify", "enlarge"],
  ["measure", "ruler", "distance", "length", "mm"],
  ["lesion", "finding", "component"],
  ["segment", "label", "class"],
  ["larger", "bigger", "grow", "dilate", "increase", "expand"],
  ["smaller", "shrink", "erode", "decrease", "reduce"],
  ["tolerance", "threshold", "sensitivity"],
  ["lung", "limit", "border", "boundary"],
  ["mask", "overlay", "contour", "annotation"],
  ["pre-annotation", "prediction", "model", "ai"],
  ["difference", "compare", "diff", "change"],
  ["lock", "protect", "unlock"],
  ["submit", "hand in", "finish", "done", "send"],
  ["skip", "next"],
  ["block", "problem", "issue", "report"],
  ["approve", "accept", "sign"],
  ["return", "reject", "refuse"],
  ["comment", "note", "pin", "remark", "reply"],
  ["question", "answer", "form"],
  ["keys", "shortcuts", "hotkeys", "keyboard", "help"],
  ["settings", "preferences", "options", "configure"],
  ["smooth", "blur", "interpolate"],
  ["fill", "holes", "close"],
  ["copy", "take", "duplicate"],
  ["hide", "show", "toggle", "on", "off", "hidden", "shown"],
];

/** How well one typed word fits a title: 0 not at all. */
function fit(word: string, title: string, words: readonly string[]): number {
  if (title.startsWith(word)) return 4;
  if (words.some((w) => w.startsWith(word))) return 3;
  if (title.includes(word)) return 2;
  const meant = SYNONYMS.filter((line) =>
    line.some((w) => w === word || (word.length > 2 && w.startsWith(word))),
  ).flat();
  return meant.some((w) => words.includes(w) || (w.includes(" ") && title.includes(w))) ? 1 : 0;
}

/**
 * The commands that every typed word fits, the best first; among equals those used last, then as they stand. With
 * nothing typed: those used last, then all. `titleOf` gives the title in the reader's language; the English one is
 * searched too.
 */
export function search<T extends Pick<Command, "id" | "title">>(
  commands: readonly T[],
  typed: string,
  recent: readonly string[],
  titleOf: (command: T) => string = (c) => c.title,
): T[] {
  const query = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const rank = (id: string) => {
    const n = recent.indexOf(id);
    return n < 0 ? recent.length : n;
  };
  return commands
    .map((command, n) => {
      const title = `${titleOf(command)} ${command.title}`.toLowerCase();
      const words = title.split(/[^\p{L}\p{N}-]+/u);
      const fits = query.map((word) => fit(word, title, words));
      return { command, n, score: fits.every(Boolean) ? fits.reduce((sum, f) => sum + f, 0) : -1 };
    })
    .filter(({ score }) => score >= 0)
    .sort((a, b) => b.score - a.score || rank(a.command.id) - rank(b.command.id) || a.n - b.n)
    .map(({ command }) => command);
}
