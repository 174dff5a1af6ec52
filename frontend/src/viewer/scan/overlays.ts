/** Masks beside the live one (prediction, author, readers, a revision): which have come, which are shown, and how. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { EditorClient } from "../../editor/client";
import { askLater, isLineGone } from "../../ground/again";
import type { Overlay } from "../../ground/contract";
import { toggled } from "./selection";

/** What a reviewer made of the mask: unlike every other overlay it came after the mask. */
export const CORRECTION = "correction";

export class Overlays {
  readonly #loaded = signal<ReadonlySet<string>>(new Set());
  readonly loaded: ReadonlySignal<ReadonlySet<string>> = this.#loaded;
  readonly #shown = signal<ReadonlySet<string>>(new Set());
  /** Those that are shown as dashed outlines, by key. */
  readonly shown: ReadonlySignal<ReadonlySet<string>> = this.#shown;
  readonly #difference = signal<string | null>(null);
  /** The one that the mask is compared with, or null. */
  readonly difference: ReadonlySignal<string | null> = this.#difference;
  readonly #heat = signal<readonly string[]>([]);
  /** Those whose disagreement with the mask and each other is shown; empty: none. */
  readonly heat: ReadonlySignal<readonly string[]> = this.#heat;
  /** All that decides what the panes need. */
  readonly changed = computed(() => [this.#loaded.value, this.#shown.value, this.#difference.value, this.#heat.value]);

  /** Keys of those that something of is to be seen. */
  get wanted(): string[] {
    const keys = new Set([...this.#shown.value, ...this.#heat.value]);
    if (this.#difference.value) keys.add(this.#difference.value);
    return [...keys].filter((key) => this.#loaded.value.has(key));
  }

  /**
   * Fetch them, one after the other; `arrived` is told of each, `failed` of those that could not be had. Where the line
   * was gone they are asked for again, until `leaving`. `fetchMask` answers a mask message.
   */
  async load(
    sources: readonly Overlay[],
    editor: EditorClient,
    fetchMask: (url: string) => Promise<Uint8Array>,
    arrived: (key: string) => void,
    failed: (title: string, key: string) => void,
    leaving: AbortSignal,
  ): Promise<void> {
    for (const { key, title, url } of sources) {
      const load = async () => {
        await editor.putOverlay(key, await fetchMask(url));
        this.noteLoaded(key);
        arrived(key);
      };
      try {
        await load();
      } catch (error) {
        failed(title, key);
        if (isLineGone(error)) void askLater(load, leaving).catch(() => undefined);
      }
    }
  }

  noteLoaded(key: string): void {
    this.#loaded.value = new Set([...this.#loaded.value, key]);
  }

  /** It is shown no more, and no longer there. */
  noteGone(key: string): void {
    this.#shown.value = new Set([...this.#shown.value].filter((other) => other !== key));
    this.#loaded.value = new Set([...this.#loaded.value].filter((other) => other !== key));
  }

  show(key: string): void {
    this.#shown.value = new Set([...this.#shown.value, key]);
  }

  toggle(key: string): void {
    this.#shown.value = toggled(this.#shown.value, key);
  }

  compareWith(key: string | null): void {
    this.#difference.value = key;
  }

  showHeat(keys: readonly string[]): void {
    this.#heat.value = keys;
  }
}
