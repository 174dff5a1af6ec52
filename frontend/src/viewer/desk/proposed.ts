/**
 * Going through the lesions that the model proposed: each is accepted, dropped or regrown by one key, and the next
 * undecided one comes up. What was decided the mask and its strokes tell, so that undo, a reload and another tab agree.
 */

import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { OperationResult, ProposedLesion } from "../../editor/types";
import { t } from "../../ground/language";
import { withKey } from "../../ground/shortcuts";
import { ml, signed } from "../../ground/words";
import { refuses } from "../scan/editing";
import type { ScanSession } from "../scan/session";
import { growStroke } from "../tools/brushes";
import { REFUSALS } from "../tools/refusals";

const MODEL = "prediction";
/** A pause after a stroke before the lesions are looked at again. */
const LOOK_AFTER_MS = 150;

export const noneProposed = (): string => t("The model has proposed no lesion here.");

export class ProposedLesions {
  readonly #list = signal<readonly ProposedLesion[]>([]);
  /** The largest first; empty where the model proposed nothing, or nothing that this person may see. */
  readonly list: ReadonlySignal<readonly ProposedLesion[]> = this.#list;
  readonly #index = signal(-1);
  /** The chosen one in the list; -1 for none. The list keeps its order. */
  readonly index: ReadonlySignal<number> = this.#index;
  /** Nobody said anything about these yet. */
  readonly left = computed(() => this.list.value.filter(({ fate }) => fate === "proposed").length);
  #timer = 0;
  #isBusy = false;
  readonly #stop: () => void;

  /** `shown`: the list must be seen now. */
  constructor(
    private readonly session: ScanSession,
    private readonly shown: () => void,
  ) {
    this.#stop = effect(() => {
      const { maskReady, history, stats, overlays, anatomy, clicks } = session;
      void [history.value, stats.value, anatomy.loaded.value, clicks.model.value];
      if (!maskReady.value || !overlays.loaded.value.has(MODEL)) return;
      window.clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => void this.#look().catch(() => undefined), LOOK_AFTER_MS);
    });
  }

  /** Accepting is the author's: a judge checks differences, and corrects. */
  get canAccept(): boolean {
    return this.session.context.can.submit;
  }

  get chosen(): ProposedLesion | undefined {
    return this.list.value[this.index.value];
  }

  async #look(): Promise<void> {
    this.#list.value = await this.session.editor.proposed(MODEL, this.session.beside.anatomy);
  }

  show(index: number): void {
    const lesion = this.list.value[index];
    if (!lesion) return;
    this.#index.value = index;
    this.shown();
    this.session.goTo(lesion.ijk);
  }

  /** The next or previous undecided lesion, round and round. */
  step(by: 1 | -1): void {
    const list = this.list.value,
      n = list.length;
    const from = this.index.value < 0 && by < 0 ? 0 : this.index.value;
    for (let away = 1; away <= n; away++) {
      const at = (from + by * away + 2 * n) % n;
      if (list[at]?.fate !== "proposed") continue;
      this.show(at);
      return;
    }
    this.session.notices.say(n ? t("No proposed lesion is left to decide.") : noneProposed());
  }

  /** The chosen lesion is right: on to the next. */
  accept(): Promise<void> {
    return this.#decide(async (lesion) => {
      if (lesion.fate === "dropped") {
        const words = t("This lesion was dropped: it can be copied from the pre-annotation again");
        this.session.notices.say(`${withKey(words, "Alt+L")}.`, "warn");
        return;
      }
      if (this.canAccept && lesion.fate !== "accepted")
        await this.session.editor.apply({ op: "accept", overlay: MODEL, at: lesion.ijk });
      await this.#look();
      this.step(1);
    });
  }

  /** The chosen lesion is none: it goes, and the next comes up. */
  drop(): Promise<void> {
    return this.#decide(async (lesion) => {
      const locked = [...this.session.selection.locked.value];
      const { removed } = await this.session.editor.apply({ op: "drop", overlay: MODEL, at: lesion.ijk, locked });
      if (removed === 0 && lesion.fate !== "dropped") {
        this.session.notices.say(t("Nothing was dropped: its segment is locked."), "warn");
        return;
      }
      await this.#look();
      this.step(1);
    });
  }

  /** The growing brush takes the chosen lesion anew; one stays to look at it. */
  regrow(): Promise<void> {
    return this.#decide(async (lesion) => {
      const { session } = this;
      const locked = [...session.selection.locked.value];
      if (locked.includes(lesion.segment)) {
        session.notices.say(t("Not regrown: its segment is locked."), "warn");
        return;
      }
      const tool = growStroke(session);
      const result = await session.editor.apply({ op: "regrow", overlay: MODEL, at: lesion.ijk, locked, tool });
      session.notices.say(regrownWords(result, session), result.refusal ? "warn" : "info");
      await this.#look();
      session.goTo(lesion.ijk);
    });
  }

  /** Does it to the chosen lesion; without one the first undecided comes up. A held key does not pile up. */
  async #decide(act: (lesion: ProposedLesion) => Promise<void>): Promise<void> {
    const { session } = this;
    if (refuses(session, true)) return;
    if (!this.chosen) {
      this.step(1);
      return;
    }
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      session.notices.expire();
      await act(this.chosen);
    } catch (error) {
      session.notices.say(t("The lesion stays as it is: {why}", { why: (error as Error).message }), "bad");
    } finally {
      this.#isBusy = false;
    }
  }

  close(): void {
    this.#stop();
    window.clearTimeout(this.#timer);
  }
}

function regrownWords({ added, removed, refusal }: OperationResult, { voxelMl, unit }: ScanSession): string {
  if (refusal) return t("Not regrown: {why}.", { why: t(REFUSALS[refusal]) });
  const net = added - removed;
  const amount = `${signed(net, ml(Math.abs(net) * voxelMl))} ${unit}`;
  return `${withKey(t("Regrown: {amount}. Undo takes it back", { amount }), "Ctrl+Z")}.`;
}
