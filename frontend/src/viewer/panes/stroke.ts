/** A gesture with a painting tool, from press to release, and the preview of what it would take. */

import type { DabResult, Ijk, Plane, Tool } from "../../editor/types";
import { refusalWords, whyNot } from "../brushes";
import { t } from "../language";
import { PLANES } from "../session";
import { settings } from "../settings";
import { brushOf, toolOf } from "../tools";
import { ml } from "../words";
import { whyNotHere } from "./planebound";
import type { View } from "./view";

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

export class Strokes {
  #painting = false;
  #next: { readonly ijk: Ijk; readonly reach: number } | null = null;
  #dabbing: Promise<void> | null = null;
  #added = 0;
  #removed = 0;
  #wanted: { ijk: Ijk; tool: Tool } | null = null;
  #previewing = false;
  #last = "";

  constructor(
    private readonly view: View,
    private readonly tell: (facts: StrokeFacts | null) => void,
  ) {}

  get painting(): boolean {
    return this.#painting;
  }

  /** Press: the first dab lands at once. False when painting is not possible; the reason stands beside the cursor. */
  begin(plane: Plane, ijk: Ijk, reach = 1): boolean {
    const { session } = this.view;
    const why = whyNot(session);
    if (why) {
      this.view.hud.value = { title: why, detail: "", tone: "warn" };
      return false;
    }
    const tool = brushOf(session)?.stroke(session, plane);
    if (!tool) return false;
    this.#painting = true;
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
        this.#heard(await this.view.session.editor.dab(ijk, reach));
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
      await this.view.session.editor.endStroke();
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
    await this.view.session.editor.cancelStroke();
    this.view.hud.value = null;
    this.tell(null);
  }

  /** One dab at a voxel, for the keyboard. Why it is not possible stands in a notice: there may be no pointer. */
  async touch(plane: Plane, ijk: Ijk): Promise<void> {
    const { session, panes } = this.view;
    const why = whyNotHere(this.view, toolOf(session), panes[plane]) ?? whyNot(session);
    if (why) session.notice.value = { text: why, tone: "warn" };
    else if (this.begin(plane, ijk)) await this.end();
  }

  #heard(result: DabResult): void {
    const { session, hud } = this.view;
    this.#added += result.added;
    this.#removed += result.removed;
    const refusal = refusalWords(result.grow);
    const erasing = brushOf(session)?.erases ?? false;
    const volume = (erasing ? this.#removed : this.#added) * session.voxelMl;
    if (refusal && !this.#added) hud.value = { title: refusal, detail: "", tone: "warn" };
    else
      hud.value = {
        title: `${erasing ? "−" : "+"}${ml(volume)} ${session.unit}`,
        detail: erasing ? t("Erased") : session.segmentName(session.segment.value),
        tone: "plain",
      };
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
    this.view.session.notice.value = {
      text: t("The stroke was not taken: {why}", { why: error.message }),
      tone: "bad",
    };
  }

  /** The pointer rests over this voxel: show what a stroke would take. */
  hover(plane: Plane, ijk: Ijk | null): void {
    const { session } = this.view;
    const brush = brushOf(session);
    const tool =
      ijk && brush?.previews && settings.value.livePreview && !whyNot(session) ? brush.stroke(session, plane) : null;
    if (!ijk || !tool || this.#painting) {
      this.#wanted = null;
      this.clearPreview();
      return;
    }
    const shown = PLANES.map((name) => this.view.panes[name].watched.index);
    const key = `${ijk.join()}/${JSON.stringify(tool)}/${session.history.value.undo?.id ?? ""}/${shown.join()}`;
    if (key === this.#last) return;
    this.#last = key;
    this.#wanted = { ijk, tool };
    if (!this.#previewing) void this.#preview();
  }

  async #preview(): Promise<void> {
    const { session, hud, panes } = this.view;
    this.#previewing = true;
    try {
      while (this.#wanted) {
        const { ijk, tool } = this.#wanted;
        this.#wanted = null;
        const found = await session.editor.preview(tool, ijk);
        if (this.#painting || !brushOf(session)?.previews || this.#last === "") continue;
        for (const plane of PLANES) panes[plane].setPreview(found.patches.find((p) => p.plane === plane) ?? null);
        const refusal = refusalWords(found);
        hud.value = refusal
          ? { title: refusal, detail: "", tone: "warn" }
          : {
              title: `+${ml(found.added * session.voxelMl)} ${session.unit}`,
              detail: session.segmentName(session.segment.value),
              tone: "plain",
            };
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
      session.notice.value = { text: t("No preview: {why}", { why: (error as Error).message }), tone: "warn" };
    } finally {
      this.#previewing = false;
    }
  }

  clearPreview(): void {
    this.#last = "";
    for (const plane of PLANES) this.view.panes[plane].setPreview(null);
    if (!this.#painting) {
      this.view.hud.value = null;
      this.tell(null);
    }
  }
}
