/** Operations on the mask from the page: one at a time, said while they run, each one stroke that Undo takes back. */

import type { Ijk, Operation } from "../../editor/types";
import { refuses } from "../scan/editing";
import { withKey } from "../../ground/shortcuts";
import { msg, t } from "../../ground/language";
import type { ScanSession } from "../scan/session";
import { settings } from "../../ground/settings";
import { ml } from "../../ground/words";

/** How far a press grows or shrinks, in mm: as set, but never less than a voxel, which would change nothing. */
export function resizeMm({ context }: Pick<ScanSession, "context">): number {
  const { shape_zyx: shape, spacing_mm_zyx: spacing } = context.scan;
  const voxel = Math.min(...(shape[0] > 1 ? spacing : spacing.slice(1)));
  return Math.max(settings.value.sizeMm, Math.ceil(voxel * 10) / 10);
}

export class Operations {
  constructor(
    private readonly session: ScanSession,
    private readonly under: () => Ijk,
  ) {}

  get #rules() {
    const { session } = this;
    return {
      segment: session.selection.segment.value,
      overwrite: settings.value.overwrite,
      locked: [...session.selection.locked.value],
    };
  }

  /**
   * Resolves when it is done and said; a refusal is said too. `anySegment`: it may work on other segments than the
   * selected one.
   */
  async run(title: string, operation: Operation, anySegment = false): Promise<void> {
    const { session } = this;
    if (refuses(session, anySegment)) return;
    session.beginWork(t(title));
    try {
      const { added, removed } = await session.editor.apply(operation);
      const net = added - removed;
      const what =
        added === 0 && removed === 0
          ? t("nothing to change")
          : added > 0 && removed > 0 && net === 0
            ? t("{amount} changed hands", { amount: `${ml(added * session.voxelMl)} ${session.unit}` })
            : `${net < 0 ? "−" : "+"}${ml(Math.abs(net) * session.voxelMl)} ${session.unit}`;
      session.notices.say(
        added || removed
          ? `${t(title)}: ${what}. ${withKey(t("Undo takes it back"), "Ctrl+Z")}.`
          : `${t(title)}: ${what}.`,
      );
    } catch (error) {
      session.notices.say(t("{title} did not work: {why}", { title: t(title), why: (error as Error).message }), "bad");
    } finally {
      session.finishWork();
    }
  }

  interpolate(): Promise<void> {
    return this.run(msg("Fill between slices"), {
      op: "interpolate",
      plane: this.session.activePlane.value,
      ...this.#rules,
    });
  }
  fillHoles(): Promise<void> {
    // Thick slices: what is closed in the plane is a hole, as the growing brush has it.
    const perSlice = this.session.geometry.spacingMmZyx[0] > 1.5;
    return this.run(msg("Fill holes"), { op: "fill-holes", perSlice, ...this.#rules });
  }
  removeIslands(): Promise<void> {
    const { segment, locked } = this.#rules;
    return this.run(msg("Remove islands"), {
      op: "remove-islands",
      segment,
      underMl: settings.value.islandsMl,
      locked,
    });
  }
  smooth(): Promise<void> {
    return this.run(msg("Smooth"), { op: "smooth", mm: settings.value.smoothMm, ...this.#rules });
  }
  grow(): Promise<void> {
    return this.run(msg("Grow"), { op: "resize", mm: resizeMm(this.session), ...this.#rules });
  }
  shrink(): Promise<void> {
    return this.run(msg("Shrink"), { op: "resize", mm: -resizeMm(this.session), ...this.#rules });
  }
  clear(): Promise<void> {
    const { segment, locked } = this.#rules;
    return this.run(msg("Clear the segment"), { op: "clear", segment, locked });
  }

  /** The whole selected segment becomes another one. */
  convert(to: number): Promise<void> {
    const { segment, locked } = this.#rules;
    return this.run(msg("Convert"), { op: "convert", from: segment, to, at: null, locked });
  }
  /** The lesion under the cursor becomes the selected segment. */
  convertLesion(): Promise<void> {
    const { segment, locked } = this.#rules;
    return this.run(
      msg("Convert the lesion"),
      { op: "convert", from: null, to: segment, at: this.under(), locked },
      true,
    );
  }
  removeLesion(): Promise<void> {
    return this.run(
      msg("Remove the lesion"),
      { op: "remove-lesion", at: this.under(), locked: this.#rules.locked },
      true,
    );
  }

  /** From an overlay: everything, or the lesion under the cursor; with its own segments or into the selected one. */
  copy(overlay: string, whole: boolean): Promise<void> {
    const { overwrite, locked, segment } = this.#rules;
    return this.run(
      whole ? msg("Copy everything") : msg("Copy the lesion"),
      {
        op: "copy",
        overlay,
        at: whole ? null : this.under(),
        into: settings.value.copyInto ? segment : null,
        overwrite,
        locked,
      },
      true,
    );
  }

  /** `overlay` null: with another segment of this mask. */
  combine(op: "union" | "intersect" | "subtract", overlay: string | null, other: number | null): Promise<void> {
    const title = op === "union" ? msg("Add") : op === "intersect" ? msg("Intersect") : msg("Subtract");
    return this.run(title, { op, overlay, with: other, marginMm: settings.value.marginMm, ...this.#rules });
  }
}
