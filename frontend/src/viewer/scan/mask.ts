/** The mask that is drawn on, as the editor tells of it: saved or not, its strokes and figures, its lesions. */

import { batch, type ReadonlySignal, signal } from "@preact/signals";
import type { EditorClient } from "../../editor/client";
import type { Beside, Box, EditorEvents, HistoryState, Lesion, Opened, SaveState, Stats } from "../../editor/types";
import { t } from "../../ground/language";
import type { Notices } from "./notices";
import { StrokeList } from "./strokes";

/** A pause after a stroke before lesions are counted again. */
const COUNT_AFTER_MS = 250;

export class OpenMask {
  readonly #ready = signal(false);
  /** It is on screen and can be drawn on. */
  readonly ready: ReadonlySignal<boolean> = this.#ready;
  readonly #restored = signal(0);
  /** Strokes of before a reload or crash that the journal brought back. */
  readonly restored: ReadonlySignal<number> = this.#restored;
  readonly #save = signal<SaveState>({ kind: "saved", revision: "empty", at: null });
  readonly save: ReadonlySignal<SaveState> = this.#save;
  readonly #keeping = signal<EditorEvents["keeping"]>({ kind: "journal", why: "" });
  /** Whether this browser keeps the strokes. */
  readonly keeping: ReadonlySignal<EditorEvents["keeping"]> = this.#keeping;
  readonly #stats = signal<Stats>({ segments: [], erasedVoxels: 0 });
  readonly stats: ReadonlySignal<Stats> = this.#stats;
  readonly #history = signal<HistoryState>({ undo: null, redo: null, undoDepth: 0, redoDepth: 0 });
  readonly history: ReadonlySignal<HistoryState> = this.#history;
  readonly #strokes = new StrokeList();
  readonly strokes = this.#strokes.lines;
  readonly #lesions = signal<readonly Lesion[]>([]);
  readonly lesions: ReadonlySignal<readonly Lesion[]> = this.#lesions;
  #timer = 0;

  /** `beside`: what the list of lesions is told beside. `changed`: voxels of this box have, `null`: any may have. */
  constructor(
    private readonly notices: Notices,
    private readonly beside: () => Beside,
    private readonly changed: (box: Box | null) => void,
  ) {}

  listen(editor: EditorClient): void {
    editor.on("stats", (stats) => {
      this.#stats.value = stats;
    });
    editor.on("history", (history) => {
      this.#strokes.note(this.#history.value, history);
      this.#history.value = history;
    });
    editor.on("save-state", (state) => {
      this.#save.value = state;
    });
    editor.on("changed", ({ box }) => {
      this.changed(box);
      this.countLesions(editor);
    });
    editor.on("error", ({ message }) => this.notices.say(message, "bad"));
    editor.on("keeping", (keeping) => {
      this.#keeping.value = keeping;
    });
    editor.on("merged", ({ theirVoxels }) => {
      const words = t("What was saved from another tab or computer was merged ({n} voxels). One undo takes it back.", {
        n: theirVoxels,
      });
      this.notices.say(words, "warn");
      this.changed(null);
    });
  }

  take({ history, stats, save, restored }: Opened): void {
    batch(() => {
      this.#history.value = history;
      this.#stats.value = stats;
      this.#save.value = save;
    });
    this.#restored.value = restored;
  }

  /** From now on it can be drawn on. */
  show(editor: EditorClient): void {
    this.#ready.value = true;
    this.countLesions(editor);
  }

  /** Makes this tab the one that draws. */
  async takeOver(editor: EditorClient): Promise<void> {
    const opened = await editor.takeOver();
    this.#restored.value = opened.restored;
    this.changed(null);
  }

  countLesions(editor: EditorClient): void {
    window.clearTimeout(this.#timer);
    const count = async () => {
      this.#lesions.value = await editor.lesions(this.beside());
    };
    this.#timer = window.setTimeout(() => void count().catch(() => undefined), COUNT_AFTER_MS);
  }

  /** mL of a segment; 0 when nothing is marked. */
  mlOf(segment: number): number {
    return this.#stats.value.segments.find((s) => s.segment === segment)?.ml ?? 0;
  }
}
