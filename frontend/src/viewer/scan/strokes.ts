/** The strokes of this visit, newest first, as the history of the editor tells of them. */

import { type ReadonlySignal, signal } from "@preact/signals";
import type { HistoryState, Stroke } from "../../editor/types";

/** More than this nobody reads. */
const MOST = 200;

export type StrokeLine = Pick<Stroke, "id" | "tool" | "segment" | "params" | "added" | "removed" | "at">;

export class StrokeList {
  readonly #lines = signal<readonly StrokeLine[]>([]);
  readonly lines: ReadonlySignal<readonly StrokeLine[]> = this.#lines;

  /** The history was `before` and is `now`. */
  note(before: HistoryState, now: HistoryState): void {
    const known = this.#lines.value.filter((s) => s.id !== now.redo?.id);
    // A full stack of undos no longer grows: the newest stroke then pushes the oldest out.
    const isNew =
      now.undoDepth > before.undoDepth || (now.undoDepth === before.undoDepth && now.undo?.id !== before.undo?.id);
    if (now.undo && isNew && known[0]?.id !== now.undo.id)
      this.#lines.value = [lineOf(now.undo), ...known].slice(0, MOST);
    else this.#lines.value = known;
  }
}

const lineOf = ({ id, tool, segment, params, added, removed, at }: Stroke): StrokeLine => ({
  id,
  tool,
  segment,
  params,
  added,
  removed,
  at,
});
