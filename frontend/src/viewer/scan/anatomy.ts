/** Layers that nobody draws on (lungs, lobes): shown as outlines, and what of them is involved, live. */

import { computed, signal, type ReadonlySignal } from "@preact/signals";
import type { EditorClient } from "../../editor/client";
import { askLater, isLineGone } from "../../ground/again";
import { type Context, maskOf } from "../../ground/context";
import type { Layer } from "../../ground/contract";
import { involvement, type Involvement } from "./severity";

/** A layer that came with the scan, and the key of its overlay in the editor. */
export interface GivenLayer extends Layer {
  readonly key: string;
  readonly source: string;
  readonly url: string;
}

/** The key of the lung limit's overlay in the editor. */
const LIMIT = "limit";
/** A pause after a stroke before shares are counted again. */
const PAUSE_MS = 250;

/** Share of the lungs that is involved, and of what: lungs of an anatomy layer, else the limit of the brush. */
export interface LungShare {
  readonly percent: number;
  readonly of: "anatomy" | "limit";
}

export class Anatomy {
  readonly layers: readonly GivenLayer[];
  readonly #figures = signal<ReadonlyMap<string, Involvement>>(new Map());
  readonly figures: ReadonlySignal<ReadonlyMap<string, Involvement>> = this.#figures;
  readonly #loaded = signal<ReadonlySet<string>>(new Set());
  readonly loaded: ReadonlySignal<ReadonlySet<string>> = this.#loaded;
  readonly #shown = signal<ReadonlyMap<string, ReadonlySet<number>>>(new Map());
  /** Segments whose outlines are shown, by key of the overlay. */
  readonly shown: ReadonlySignal<ReadonlyMap<string, ReadonlySet<number>>> = this.#shown;
  readonly lungs = computed<LungShare | null>(() => {
    for (const { key } of this.layers) {
      const percent = this.figures.value.get(key)?.percent ?? null;
      if (percent !== null) return { percent, of: "anatomy" };
    }
    const percent = this.figures.value.get(LIMIT)?.percent ?? null;
    return percent === null ? null : { percent, of: "limit" };
  });
  readonly score = computed(() => {
    for (const { key } of this.layers) {
      const found = this.figures.value.get(key);
      if (found && found.score !== null) return { score: found.score, grades: found.grades };
    }
    return null;
  });
  /** Segments of the mask that count as opacity: the infectious ones, or all where the schema names none. */
  readonly #opacities: ReadonlySet<number>;
  #editor: EditorClient | null = null;
  #timer = 0;

  constructor({ schema, masks }: Pick<Context, "schema" | "masks">, drawn: Layer) {
    this.layers = schema.layers
      .filter((l) => !l.editable && l.name !== drawn.name && l.name in masks)
      .map((l) => {
        const { source, url } = maskOf({ masks }, l);
        return { ...l, key: `layer:${l.name}`, source: source ?? "", url };
      });
    const infectious = drawn.segments.filter((s) => s.infectious);
    this.#opacities = new Set((infectious.length ? infectious : drawn.segments).map((s) => s.id));
  }

  /**
   * Fetch the layers and count. `fetchMask` answers a mask message. Answers the titles of those that could not be had;
   * where the line was gone they are asked for again, until `leaving`.
   */
  async load(
    editor: EditorClient,
    fetchMask: (url: string) => Promise<Uint8Array>,
    leaving: AbortSignal,
  ): Promise<string[]> {
    this.#editor = editor;
    const failed: string[] = [];
    for (const { key, url, title } of this.layers) {
      const load = async () => {
        await editor.putOverlay(key, await fetchMask(url));
        this.#loaded.value = new Set([...this.loaded.value, key]);
        this.changed();
      };
      try {
        await load();
      } catch (error) {
        failed.push(title);
        if (isLineGone(error)) void askLater(load, leaving).catch(() => undefined);
      }
    }
    this.changed();
    return failed;
  }

  /** The mask has changed. */
  changed(): void {
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#count().catch(() => undefined), PAUSE_MS);
  }

  async #count(): Promise<void> {
    if (!this.#editor) return;
    const found = new Map<string, Involvement>();
    for (const layer of this.layers) {
      if (this.loaded.value.has(layer.key))
        found.set(layer.key, involvement(await this.#editor.regions(layer.key), this.#opacities, layer));
    }
    if (found.size === 0) found.set(LIMIT, involvement(await this.#editor.regions(LIMIT), this.#opacities, null));
    this.#figures.value = found;
  }

  isShown(key: string, segment: number): boolean {
    return this.shown.value.get(key)?.has(segment) ?? false;
  }

  toggle(key: string, segment: number): void {
    const segments = new Set(this.shown.value.get(key));
    if (!segments.delete(segment)) segments.add(segment);
    this.#shown.value = new Map(this.shown.value).set(key, segments);
  }

  /** Overlays whose slices the panes need. */
  get wanted(): string[] {
    return [...this.shown.value]
      .filter(([key, segments]) => segments.size > 0 && this.loaded.value.has(key))
      .map(([key]) => key);
  }

  /**
   * Colour of an outline of a given layer: null where it is not shown, undefined where the overlay is no such layer.
   */
  colourOf(key: string, segment: number): string | null | undefined {
    const layer = this.layers.find((l) => l.key === key);
    if (!layer) return undefined;
    return this.isShown(key, segment) ? (layer.segments.find((s) => s.id === segment)?.colour ?? "#b6b9bd") : null;
  }
}
