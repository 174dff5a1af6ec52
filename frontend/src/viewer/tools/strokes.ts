/** A gesture with a painting tool, from press to release, and the preview of what it would take. */

import type { DabResult, Ijk, Plane, Tool } from "../../editor/types";
import { refusalWords } from "./refusals";
import { whyNot } from "../scan/editing";
import { t } from "../../ground/language";
import { PLANES } from "../scan/session";
import { settings } from "../../ground/settings";
import { brushOf, toolOf } from ".";
import { ml } from "../../ground/words";
import { whyNotHere } from "./possible";
import type { Painting } from "./tool";
import type { Stage } from "../stage/stage";

/** What the stroke under way (or its preview) amounts to; the panel "This stroke" reads it. */
export interface StrokeFacts {
  readonly added: number;
  readonly removed: number;
  readonly seedHu: number | null;
  readonly lowerHu: number | null;
  readonly milliseconds: number | null;
  readonly refusal: string | null;
  readonly preview: boolean;
}

export class Strokes implements Painting {
  #painting = false;
  #next: { readonly ijk: Ijk; readonly reach: number } | null = null;
  #dabbing: Promise<void> | null = null;
  #added = 0;
  #removed = 0;
  #wanted: { ijk: Ijk; tool: Tool } | null = null;
  #previewing = false;
  #last = "";

  constructor(
    private readonly stage: Stage,
    private readonly tell: (facts: StrokeFacts | null) => void,
  ) {}

  get painting(): boolean {
    return this.#painting;
  }

  /** Press: the first dab lands at once. False when painting is not possible; the reason stands beside the cursor. */
  begin(plane: Plane, ijk: Ijk, reach = 1): boolean {
    const { session } = this.stage;
    const why = whyNot(session);
    if (why) {
      this.stage.warn(why);
      return false;
    }
    const tool = brushOf(session)?.stroke(session, plane);
    if (!tool) return false;
    this.#painting = true;
    this.stage.cine.stop();
    this.#added = this.#removed = 0;
    this.clearPreview();
    void session.editor.beginStroke(tool).catch((error: Error) => this.#fault(error));
    this.move(ijk, reach);
    return true;
  }

  /** The pointer is over this voxel now. Dabs that the worker has not got to yet are merged into the latest. */
  move(ijk: Ijk, reach = 1): void {
    if (!this.#painting) return;
    this.#next = { ijk, reach };
    this.#dabbing ??= this.#run().finally(() => {
      this.#dabbing = null;
    });
  }

  async #run(): Promise<void> {
    while (this.#next) {
      const { ijk, reach } = this.#next;
      this.#next = null;
      try {
        this.#heard(await this.stage.session.editor.dab(ijk, reach));
      } catch (error) {
        this.#fault(error as Error);
        return;
      }
    }
  }

  /** Release: one entry of the history. */
  async end(): Promise<void> {
    if (!this.#painting) return;
    this.#painting = false;
    while (this.#dabbing) await this.#dabbing;
    try {
      await this.stage.session.editor.endStroke();
    } catch (error) {
      this.#fault(error as Error);
    }
  }

  /** Escape while painting: as if it had not begun. */
  async cancel(): Promise<void> {
    if (!this.#painting) return;
    this.#painting = false;
    this.#next = null;
    while (this.#dabbing) await this.#dabbing;
    await this.stage.session.editor.cancelStroke();
    this.stage.say(null);
    this.tell(null);
  }

  /** One dab at a voxel, for the keyboard. Why it is not possible stands in a notice: there may be no pointer. */
  async touch(plane: Plane, ijk: Ijk): Promise<void> {
    const { session, panes } = this.stage;
    const why = whyNotHere(this.stage, toolOf(session), panes[plane]) ?? whyNot(session);
    const isStill = () => (whyNotHere(this.stage, toolOf(session), panes[plane]) ?? whyNot(session)) === why;
    if (why) session.notices.say(why, "warn", isStill);
    else if (this.begin(plane, ijk)) await this.end();
  }

  #heard(result: DabResult): void {
    const { stage } = this;
    const { session } = stage;
    this.#added += result.added;
    this.#removed += result.removed;
    const refusal = refusalWords(result.grow);
    const erasing = brushOf(session)?.erases ?? false;
    const volume = (erasing ? this.#removed : this.#added) * session.voxelMl;
    if (refusal && !this.#added) stage.warn(refusal);
    else
      stage.say({
        title: `${erasing ? "−" : "+"}${ml(volume)} ${session.unit}`,
        detail: erasing ? t("Erased") : session.segmentName(session.selection.segment.value),
        tone: "plain",
      });
    this.tell({
      added: this.#added,
      removed: this.#removed,
      seedHu: result.grow?.seedHu ?? null,
      lowerHu: result.grow?.lowerHu ?? null,
      milliseconds: result.grow?.milliseconds ?? null,
      refusal,
      preview: false,
    });
  }

  #fault(error: Error): void {
    this.#painting = false;
    this.#next = null;
    this.stage.session.notices.say(t("The stroke was not taken: {why}", { why: error.message }), "bad");
  }

  /** The pointer rests over this voxel: show what a stroke would take. */
  hover(plane: Plane, ijk: Ijk | null): void {
    const { session } = this.stage;
    const brush = brushOf(session);
    const tool =
      ijk && brush?.previews && settings.value.livePreview && !whyNot(session) ? brush.stroke(session, plane) : null;
    if (!ijk || !tool || this.#painting) {
      this.#wanted = null;
      this.clearPreview();
      return;
    }
    const shown = PLANES.map((name) => this.stage.panes[name].watched.index);
    const key = `${ijk.join()}/${JSON.stringify(tool)}/${session.history.value.undo?.id ?? ""}/${shown.join()}`;
    if (key === this.#last) return;
    this.#last = key;
    this.#wanted = { ijk, tool };
    if (!this.#previewing) void this.#preview();
  }

  async #preview(): Promise<void> {
    const { stage } = this;
    const { session, panes } = stage;
    this.#previewing = true;
    try {
      while (this.#wanted) {
        const { ijk, tool } = this.#wanted;
        this.#wanted = null;
        const found = await session.editor.preview(tool, ijk);
        if (this.#painting || !brushOf(session)?.previews || this.#last === "") continue;
        for (const plane of PLANES) panes[plane].setPreview(found.patches.find((p) => p.plane === plane) ?? null);
        const refusal = refusalWords(found);
        if (refusal) stage.warn(refusal);
        else
          stage.say({
            title: `+${ml(found.added * session.voxelMl)} ${session.unit}`,
            detail: session.segmentName(session.selection.segment.value),
            tone: "plain",
          });
        this.tell({
          added: found.added,
          removed: 0,
          seedHu: found.seedHu,
          lowerHu: found.lowerHu,
          milliseconds: found.milliseconds,
          refusal,
          preview: true,
        });
      }
    } catch (error) {
      session.notices.say(t("No preview: {why}", { why: (error as Error).message }), "warn");
    } finally {
      this.#previewing = false;
    }
  }

  clearPreview(): void {
    this.#last = "";
    for (const plane of PLANES) this.stage.panes[plane].setPreview(null);
    if (!this.#painting) {
      this.stage.say(null);
      this.tell(null);
    }
  }
}
