/** A reviewer's verdict: asked for, signed, given; for some seconds it can be taken back on the next page. */

import { call, Problem } from "../../ground/api";
import { t } from "../../ground/language";
import type { News } from "../../ground/news";
import * as shape from "../../ground/shapes";
import { interlocksOf, type Verdict } from "./asking";
import { whyDamaged } from "./checks";
import type { Ending } from "./ending";

export class Verdicts {
  constructor(private readonly work: Ending) {}

  /** Why nobody can approve the scan on this page now, in words; null: nothing speaks against it. */
  get hindrance(): string | null {
    const { lostSlices, phase, fullSlices, context } = this.work.session;
    const damaged = whyDamaged(lostSlices.value);
    if (damaged || phase.value === "complete") return damaged;
    const [all] = context.scan.shape_zyx;
    return t("The scan is still loading ({n} of {all} slices): approve it when all of it is there", {
      n: fullSlices.value,
      all,
    });
  }

  /** The moment before an approval: what is signed, by whom, with which meaning. */
  ask(verdict: "approve" | "correct"): void {
    const { work } = this;
    if (work.busy.value || work.left) return;
    const why = this.hindrance;
    if (why) work.session.notices.say(`${why}.`, "warn");
    else
      work.ask({ kind: "signature", verdict, asks: work.session.context.signature.policy === "always", wrong: false });
  }

  /**
   * `approve`, `correct` (with the reviewer's own changes) or `return` (with the drafts). Asks for the password when it
   * must.
   */
  async give(kind: Verdict, password = ""): Promise<void> {
    const { work } = this;
    const { session } = work;
    if (work.left) return;
    const why = kind === "return" ? null : this.hindrance;
    if (why) {
      session.notices.say(`${why}.`, "warn");
      return;
    }
    await work.say(kind === "return" ? t("Returning") : t("Approving"), async () => {
      await work.saveAnswers();
      // The record of what was looked at never keeps a verdict from being given.
      await work.checks.save().catch(() => undefined);
      await session.editor.flush();
      await work.sendActivity();
      const drafts = work.talk.drafts.value;
      const signature = password ? { password } : {};
      const body =
        kind === "return" ? { comments: drafts.map(({ text, ijk }) => ({ text, ijk })), ...signature } : signature;
      try {
        const { next, undo_seconds: seconds } = await call("POST", `${work.reviewUrl}/${kind}`, body, shape.Verdict);
        work.dismiss();
        work.talk.dropDrafts(drafts);
        await work.shelf("check").remove();
        const otherwise = kind === "return" ? t("Returned. The queue is empty.") : t("Approved. The queue is empty.");
        work.leave(next, otherwise, this.#newsOf(kind, seconds));
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (error.code === "interlocks") work.ask({ kind: "interlocks", found: interlocksOf(error) });
        else if (kind !== "return" && (error.code === "signature_required" || error.code === "wrong_password"))
          work.ask({ kind: "signature", verdict: kind, asks: true, wrong: error.code === "wrong_password" });
        else throw error;
      }
    });
  }

  #newsOf(kind: Verdict, seconds: number): News {
    const { id, scan, user } = this.work.session.context;
    return {
      user,
      kind: kind === "return" ? "returned" : "approved",
      code: scan.code,
      url: `${this.work.reviewUrl}/take-back`,
      page: `/view/${id}/`,
      until: Date.now() + seconds * 1000,
    };
  }
}
