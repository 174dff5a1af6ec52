/**
 * Looking at a mask beside others: which it is compared with, where they differ lesion by lesion, what of it was
 * checked, and where the readers of a scan disagree.
 */

import { computed, effect, signal, type ReadonlySignal } from "@preact/signals";
import type { Difference } from "../../editor/types";
import type { Layer, Overlay } from "../../ground/contract";
import { CORRECTION } from "../scan/overlays";
import type { ScanSession } from "../scan/session";
import { msg, t } from "../../ground/language";
import type { Outgoing } from "./outgoing";

const COUNT_AFTER_MS = 250;
/** The overlay that a reviewer has of what was submitted. */
const SUBMITTED = "author";

/** A difference by what it is: when it changes, it has not been checked. */
export function nameOf(against: string, { kind, ijk, added, removed, relabelled }: Difference): string {
  return [against, kind, ...ijk, added, removed, relabelled].join(" ");
}

/** What was done to the mask, where the other one came after it. */
function turnedRound(difference: Difference): Difference {
  const { kind, added, removed, addedMl, removedMl } = difference;
  const back = { added: "removed", removed: "added", changed: "changed" } as const;
  return {
    ...difference,
    kind: back[kind],
    added: removed,
    removed: added,
    addedMl: removedMl,
    removedMl: addedMl,
  };
}

/** What a reviewer often remarks on a location, by one key; `short` stands on its button. */
export const REMARKS = [
  { id: "remark-large", short: msg("Too large"), words: msg("Marked too large"), key: "Shift+L" },
  { id: "remark-small", short: msg("Too small"), words: msg("Marked too small"), key: "Shift+T" },
  { id: "remark-none", short: msg("No finding"), words: msg("This is no finding"), key: "Shift+N" },
  { id: "remark-missed", short: msg("Missed here"), words: msg("A finding is missed here"), key: "Shift+I" },
] as const;

export class Review {
  readonly #picked = signal<string | null>(null);
  readonly #differences = signal<readonly Difference[]>([]);
  readonly differences: ReadonlySignal<readonly Difference[]> = this.#differences;
  /** Index of the chosen one in the list; -1 for none. */
  readonly #index = signal(-1);
  readonly index: ReadonlySignal<number> = this.#index;
  /** False until the first list is there. */
  readonly #isCounted = signal(false);
  readonly isCounted: ReadonlySignal<boolean> = this.#isCounted;
  #timer = 0;
  #comparing = 0;

  readonly #asSubmitted = signal<boolean | null>(null);
  /** The mask is another than what was submitted; a stroke that was undone leaves it the same. */
  readonly isRedrawn = computed(() => {
    const { save, maskReady, history, context, layer } = this.session;
    if (this.#asSubmitted.value !== null) return !this.#asSubmitted.value;
    // Not compared yet: another revision, or a stroke of this browser.
    const isOther = maskReady.value && save.value.kind === "saved" && save.value.revision !== this.#submittedOf(layer);
    return context.can.correct && (isOther || history.value.undoDepth > 0);
  });

  /** Masks that can be compared with: those of the working layer that have come. */
  readonly others = computed<readonly Overlay[]>(() => {
    const { context, layer, overlays } = this.session;
    return context.overlays.filter((o) => o.layer === layer.name && overlays.loaded.value.has(o.key));
  });

  /**
   * The one that it is compared with: what a reviewer made of it, what the author was told to mend, else what the model
   * said.
   */
  readonly against = computed<Overlay | null>(() => {
    const others = this.others.value;
    const named = (key: string | null) => others.find((o) => o.key === key);
    const arbitrates = this.session.context.stage === "arbitration";
    return (
      named(this.#picked.value) ??
      (arbitrates ? others.find((o) => o.key.startsWith("reader-")) : undefined) ??
      named(CORRECTION) ??
      named("previous") ??
      named("prediction") ??
      others[0] ??
      null
    );
  });

  /** Masks of other readers of the same scan. */
  readonly readers = computed(() => this.others.value.filter((o) => o.key.startsWith("reader-")));

  /** Where the readers disagree, shown as a heat map. */
  readonly heat = computed(() => this.session.overlays.heat.value.length > 0);

  readonly left = computed(() => this.differences.value.filter((d) => !this.isChecked(d)).length);

  /**
   * `checks`: what was checked, by name. `isWanted`: somebody looks at the list; it is not counted behind every stroke
   * of who does not.
   */
  constructor(
    private readonly session: ScanSession,
    private readonly checks: Pick<Outgoing, "values" | "set">,
    isWanted: ReadonlySignal<boolean>,
  ) {
    effect(() => {
      void [this.against.value, session.maskReady.value, session.stats.value];
      window.clearTimeout(this.#timer);
      if (isWanted.value && this.against.value && session.maskReady.value)
        this.#timer = window.setTimeout(() => void this.#count(), COUNT_AFTER_MS);
    });
    if (session.context.can.correct)
      effect(() => {
        void [session.overlays.loaded.value, session.maskReady.value, session.history.value];
        this.#asSubmitted.value = null;
        window.clearTimeout(this.#comparing);
        this.#comparing = window.setTimeout(() => void this.#compareWithSubmitted(), COUNT_AFTER_MS);
      });
  }

  #submittedOf({ name }: Layer): string {
    return this.session.context.review?.submitted[name] ?? "empty";
  }

  /** Compares the mask with what was submitted, as soon as that is there. */
  async #compareWithSubmitted(): Promise<void> {
    const { layer, overlays, maskReady, history } = this.session;
    const isBlank = this.#submittedOf(layer) === "empty";
    if (!maskReady.value || !(isBlank || overlays.loaded.value.has(SUBMITTED))) return;
    const of = history.value;
    const isSame = await this.session.editor.equals(isBlank ? null : SUBMITTED).catch(() => null);
    if (of === history.value) this.#asSubmitted.value = isSame;
  }

  async #count(): Promise<void> {
    const against = this.against.value;
    if (!against) return;
    const found = await this.session.editor.differences(against.key).catch(() => null);
    if (!found || against !== this.against.value) return;
    const chosen = this.differences.value[this.index.value];
    this.#differences.value = against.key === CORRECTION ? found.map(turnedRound) : found;
    // The list is sorted by size and moves while one draws: the chosen one is found again by where it lies.
    if (chosen) {
      const [i, j, k] = chosen.ijk;
      const again = found.findIndex(
        ({ box }) => i >= box.x0 && i < box.x1 && j >= box.y0 && j < box.y1 && k >= box.z0 && k < box.z1,
      );
      // Taken back, it is gone: the one that moved up is next.
      this.#index.value = again >= 0 ? again : Math.min(this.index.value, found.length - 1);
    }
    this.#isCounted.value = true;
  }

  /** This mask was corrected by a reviewer, and is shown to its author. */
  get isCorrection(): boolean {
    return this.session.context.overlays.some(({ key }) => key === CORRECTION);
  }

  toggleHeat(): void {
    this.session.overlays.showHeat(this.heat.value ? [] : this.readers.value.map(({ key }) => key));
  }

  compareWith(key: string): void {
    this.#picked.value = key;
    this.#index.value = -1;
    if (this.session.overlays.difference.value) this.session.overlays.compareWith(key);
  }

  /** The next mask to compare with, round and round. */
  compareWithNext(): void {
    const others = this.others.value;
    const at = others.findIndex((o) => o === this.against.value);
    const next = others[(at + 1) % others.length];
    if (next) this.compareWith(next.key);
  }

  isChecked(difference: Difference): boolean {
    return this.checks.values.value[nameOf(this.against.value?.key ?? "", difference)] === true;
  }

  /** The chosen one is this now; it is not shown. */
  choose(index: number): void {
    this.#index.value = index;
  }

  show(index: number): void {
    const difference = this.differences.value[index];
    if (!difference) return;
    this.#index.value = index;
    this.session.overlays.compareWith(this.against.value?.key ?? null);
    this.session.goTo(difference.ijk);
  }

  step(by: 1 | -1): void {
    const n = this.differences.value.length;
    if (n) this.show(this.index.value < 0 ? (by > 0 ? 0 : n - 1) : (this.index.value + by + n) % n);
  }

  /** Marks the chosen difference as checked, or not, and goes on to the next that is not. */
  check(): void {
    const list = this.differences.value,
      at = this.index.value;
    const difference = list[at];
    if (!difference) {
      this.step(1);
      return;
    }
    const isChecked = !this.isChecked(difference);
    this.checks.set({ [nameOf(this.against.value?.key ?? "", difference)]: isChecked ? true : null });
    if (!isChecked) return;
    for (let n = 1; n < list.length; n++) {
      const next = list[(at + n) % list.length];
      if (next && !this.isChecked(next)) {
        this.show((at + n) % list.length);
        return;
      }
    }
  }

  /** The chosen lesion becomes what it is in the other mask: one stroke. The next one is chosen then. */
  async revert(): Promise<void> {
    const { session } = this;
    const at = this.index.value,
      difference = this.differences.value[at],
      against = this.against.value;
    if (!difference || !against || !session.editable.value) return;
    try {
      const { added, removed } = await session.editor.apply({
        op: "revert",
        overlay: against.key,
        at: difference.ijk,
        locked: [...session.selection.locked.value],
      });
      if (added + removed === 0) session.notices.say(t("Nothing was taken back: its segment is locked."), "warn");
    } catch (error) {
      session.notices.say(t("Nothing was taken back: {why}", { why: (error as Error).message }), "bad");
    }
  }

  close(): void {
    window.clearTimeout(this.#timer);
    window.clearTimeout(this.#comparing);
  }
}
