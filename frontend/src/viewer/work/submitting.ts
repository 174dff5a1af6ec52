/** Handing a scan in, with or without a network. */

import { call, Problem } from "../../ground/api";
import type { Interlock } from "../../ground/context";
import { t } from "../../ground/language";
import { HANDED_IN_MS } from "../../ground/news";
import * as shape from "../../ground/shapes";
import { interlocksOf } from "./asking";
import { whyDamaged, whyNoSubmit } from "./checks";
import { flushed } from "./flushing";
import type { Ending } from "./ending";
import type { Draft } from "../../offline/intents";

export class Submitting {
  /** Handing in was asked for on this page without a network: warnings that were acknowledged. */
  #wish: readonly string[] | null = null;

  /** `hindrances`: what this page itself sees against submitting. */
  constructor(
    private readonly work: Ending,
    private readonly hindrances: () => readonly Interlock[],
  ) {}

  /** Everything on the server, then `submit`. What speaks against it comes as a list to jump from. */
  async submit(acknowledged: readonly string[]): Promise<void> {
    const { work } = this;
    const { session } = work;
    const why = whyNoSubmit(session.save.value) ?? whyDamaged(session.lostSlices.value);
    if (why) {
      const isStill = () => (whyNoSubmit(session.save.value) ?? whyDamaged(session.lostSlices.value)) === why;
      session.notices.say(why, "warn", isStill);
      return;
    }
    const found = this.hindrances().filter((lock) => !acknowledged.includes(lock.code));
    if (found.length) {
      work.ask({ kind: "interlocks", found });
      return;
    }
    await work.say(t("Submitting"), async () => {
      this.#wish = null;
      await work.shelf("submit").remove();
      try {
        await work.saveAnswers();
        await flushed(session);
        await work.sendActivity();
        const comments = this.#questions;
        const { next } = await call("POST", `${work.url}/submit`, { acknowledged, comments }, shape.HandedIn);
        work.talk.dropDrafts(comments);
        await work.shelf("answer").remove();
        const { id, scan, stage, user } = session.context;
        const otherwise = t("Submitted. There is no further scan for you now.");
        if (stage === "certification") {
          work.leave(next, otherwise); // measured at once: it is not taken back
          return;
        }
        work.leave(next, otherwise, {
          user,
          kind: "handed-in",
          code: scan.code,
          url: `${work.url}/take-back`,
          page: `/view/${id}/`,
          until: Date.now() + HANDED_IN_MS,
        });
      } catch (error) {
        if (error instanceof TypeError) {
          await this.#submitLater(acknowledged);
          return;
        }
        if (!(error instanceof Problem) || error.code !== "interlocks") throw error;
        work.ask({ kind: "interlocks", found: interlocksOf(error) });
      }
    });
  }

  /** Questions of before a first review; their ids keep one that is sent twice from being asked twice. */
  get #questions(): readonly Draft[] {
    const { talk } = this.work;
    return talk.areDrafted ? talk.drafts.value : [];
  }

  /** Without a network the wish to hand in is kept; the server checks it when strokes and answers have arrived. */
  async #submitLater(acknowledged: readonly string[]): Promise<void> {
    const { work } = this;
    this.#wish = acknowledged;
    // What was seen is counted with the wish, however far the sending came.
    await work.sendActivity().catch(() => undefined);
    await work.shelf("submit").put({
      "": { acknowledged, comments: this.#questions, at: new Date().toISOString() },
    });
    work.ask({ kind: "kept", next: work.session.context.next });
  }

  /** The network is back on this very page: what was to be handed in is. */
  async submitNow(): Promise<void> {
    if (!this.#wish || this.work.busy.value) return;
    this.work.dismiss();
    await this.submit(this.#wish);
  }
}
