/** Click-to-segment on the page: the points and the box given so far, and what the worker proposes for them. */

import { batch, computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { MEDIA_TYPE, gunzip } from "../../editor/message";
import type { Box, ClickPrompt, Ijk, Operation, Proposed } from "../../editor/types";
import { csrfHeaders, problemOf } from "../../ground/api";
import { fetchKept } from "../../load/shelf";
import type { EditorClient } from "../../editor/client";
import type { Context } from "../../ground/context";
import type { Notices } from "./notices";
import type { Selection } from "./selection";
import { settings } from "../../ground/settings";
import { t } from "../../ground/language";

/** More points than this are no quicker than a brush. */
const MOST_PROMPTS = 40;
/** The overlay in which the server's answer lies. */
const SERVER = "interactive";

/** What it needs of the open scan. */
export interface ClickScan {
  readonly context: Pick<Context, "id" | "probability" | "interactive">;
  readonly layer: { readonly name: string };
  readonly selection: Pick<Selection, "segment" | "locked">;
  readonly notices: Notices;
  readonly editor: EditorClient;
  readonly cross: ReadonlySignal<unknown>;
  readonly history: ReadonlySignal<unknown>;
  readonly fullSlices: ReadonlySignal<number>;
  readonly editable: ReadonlySignal<boolean>;
}

export class Clicks {
  readonly #prompts = signal<readonly ClickPrompt[]>([]);
  readonly prompts: ReadonlySignal<readonly ClickPrompt[]> = this.#prompts;
  readonly #box = signal<Box | null>(null);
  readonly box: ReadonlySignal<Box | null> = this.#box;
  /** For fingers and pens, which hold no key: what the next press says. */
  readonly #nextBelongs = signal(true);
  readonly nextBelongs: ReadonlySignal<boolean> = this.#nextBelongs;
  /** The newest answer of the worker, and how many points it answers. */
  readonly #proposed = signal<(Proposed & { readonly prompts: number }) | null>(null);
  readonly proposed: ReadonlySignal<(Proposed & { readonly prompts: number }) | null> = this.#proposed;
  readonly #fault = signal<string | null>(null);
  readonly fault: ReadonlySignal<string | null> = this.#fault;
  /** The model whose probability is at hand; null: proposals rest on the image alone. */
  readonly #model = signal<string | null>(null);
  readonly model: ReadonlySignal<string | null> = this.#model;
  /** Ask the operator's interactive server instead of the worker. */
  readonly #useServer = signal(false);
  readonly useServer: ReadonlySignal<boolean> = this.#useServer;
  /** A box under the pointer, not yet let go. */
  readonly #drawing = signal<Box | null>(null);
  readonly drawing: ReadonlySignal<Box | null> = this.#drawing;
  readonly isEmpty = computed(() => this.prompts.value.length === 0 && this.box.value === null);
  /** The server thinks. */
  readonly #asking = signal(false);
  readonly asking: ReadonlySignal<boolean> = this.#asking;
  #answered: string | null = null;
  #failed: string | null = null;
  #asked = 0;
  #waiting = false;

  constructor(private readonly session: ClickScan) {
    effect(() => {
      // Everything that changes what is proposed, or on which slices it is shown.
      void [
        this.prompts.value,
        this.box.value,
        this.useServer.value,
        settings.value.tolerance,
        settings.value.overwrite,
        settings.value.useLimit,
        session.cross.value,
        session.selection.segment.value,
        session.selection.locked.value,
        session.history.value,
        session.fullSlices.value,
      ];
      if (this.isEmpty.value) this.#proposed.value = null;
      else this.#ask();
    });
  }

  /** Fetches the probability map that the context names. Without it the tool works from the image. */
  async load(): Promise<void> {
    const { probability } = this.session.context;
    if (probability?.layer !== this.session.layer.name) return;
    const [z, y, x] = probability.shape_zyx;
    const values = await gunzip(await fetchKept(probability.url), z * y * x);
    await this.session.editor.putProbability(values, probability.shape_zyx, probability.step_zyx);
    this.#model.value = probability.model;
  }

  point(ijk: Ijk, belongs: boolean): void {
    if (this.prompts.value.length < MOST_PROMPTS) this.#prompts.value = [...this.prompts.value, { ijk, belongs }];
  }

  enclose(box: Box): void {
    batch(() => {
      this.#prompts.value = [];
      this.#box.value = box;
    });
  }

  /** What the next press says, for fingers and pens, which hold no key. */
  sayNext(belongs: boolean): void {
    this.#nextBelongs.value = belongs;
  }

  /** Ask the operator's interactive server from now on, or no more. */
  askServer(on: boolean): void {
    this.#useServer.value = on;
  }

  /** The box under the pointer, not yet let go. */
  draw(box: Box | null): void {
    this.#drawing.value = box;
  }

  /** Takes the last point back, then the box. */
  back(): void {
    if (this.prompts.value.length) this.#prompts.value = this.prompts.value.slice(0, -1);
    else this.#box.value = null;
  }

  discard(): void {
    batch(() => {
      this.#prompts.value = [];
      this.#box.value = null;
      this.#drawing.value = null;
      this.#fault.value = null;
    });
  }

  /** The proposal becomes one stroke. */
  async accept(): Promise<void> {
    if (this.isEmpty.value || !this.session.editable.value) return;
    const operation = this.operation();
    this.discard();
    try {
      const { added } = await this.session.editor.apply(operation);
      if (added === 0)
        this.session.notices.say(
          t("Nothing was added: the proposal was empty, or all of it is marked already."),
          "warn",
        );
    } catch (error) {
      this.session.notices.say(t("The proposal was not taken: {why}", { why: (error as Error).message }), "bad");
    }
  }

  operation(): Operation {
    const { session } = this;
    const question = this.#question();
    return {
      op: "click",
      segment: session.selection.segment.value,
      overwrite: settings.value.overwrite,
      locked: [...session.selection.locked.value],
      prompts: this.prompts.value,
      box: this.box.value,
      tolerance: settings.value.tolerance,
      useLimit: settings.value.useLimit,
      overlay: question !== null && question === this.#answered ? SERVER : null,
    };
  }

  /** What the server is asked; equal questions have equal answers. */
  #question(): string | null {
    const { interactive } = this.session.context;
    if (!interactive || !this.useServer.value || this.isEmpty.value) return null;
    const box = this.box.value;
    return JSON.stringify({
      layer: this.session.layer.name,
      segment: this.session.selection.segment.value,
      points: this.prompts.value.map(({ ijk, belongs }) => [...ijk, belongs ? 1 : 0]),
      box: box && [box.x0, box.y0, box.z0, box.x1, box.y1, box.z1],
    });
  }

  /**
   * Brings the server's answer to the worker, once for each question. Where it fails, the worker's own proposal stands.
   */
  async #fetchAnswer(): Promise<void> {
    const question = this.#question();
    if (question === null || question === this.#answered || question === this.#failed) return;
    this.#asking.value = true;
    try {
      const answer = await fetch(`/api/v1/assignments/${this.session.context.id}/propose`, {
        method: "POST",
        body: question,
        headers: { "Content-Type": "application/json", Accept: `${MEDIA_TYPE}, application/json`, ...csrfHeaders() },
      });
      if (!answer.ok) throw await problemOf(answer);
      await this.session.editor.putOverlay(SERVER, new Uint8Array(await answer.arrayBuffer()));
      this.#answered = question;
      this.#fault.value = null;
    } catch (error) {
      this.#failed = question;
      this.#fault.value =
        error instanceof TypeError
          ? t("The server cannot be reached; this proposal is the browser's own.")
          : (error as Error).message;
    } finally {
      this.#asking.value = false;
    }
  }

  /** Other slices or planes are on screen: what was proposed is wanted on them. */
  again(): void {
    if (!this.isEmpty.peek()) this.#ask();
  }

  /** Asks once more when it was changed while the worker thought. */
  #ask(): void {
    this.#asked++;
    if (this.#waiting) return;
    this.#waiting = true;
    queueMicrotask(() => void this.#propose());
  }

  async #propose(): Promise<void> {
    for (let asked = -1; asked !== this.#asked && !this.isEmpty.peek(); ) {
      asked = this.#asked;
      await this.#fetchAnswer();
      try {
        const prompts = this.prompts.peek().length;
        const found = await this.session.editor.propose(this.operation());
        if (!this.isEmpty.peek())
          batch(() => {
            this.#proposed.value = { ...found, prompts };
          });
      } catch (error) {
        this.#fault.value = (error as Error).message;
      }
    }
    this.#waiting = false;
  }
}
