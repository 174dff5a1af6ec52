/** Everything of one opened page, handed to the panels. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Ijk } from "../../editor/types";
import type { Context, Jump } from "../../ground/context";
import { t } from "../../ground/language";
import { beginScan } from "../../ground/settings";
import { Prior } from "../scan/prior";
import { ScanSession } from "../scan/session";
import { Stage } from "../stage/stage";
import { toolOf } from "../tools";
import { Operations } from "../tools/operations";
import { type StrokeFacts, Strokes } from "../tools/strokes";
import type { ToolHost } from "../tools/tool";
import { checkWork, type ProposedFacts, type SeenFacts } from "../work/checks";
import { Revisions } from "../work/history";
import { isSame, shownQuestions } from "../work/questions";
import { Review } from "../work/review";
import { Work } from "../work/work";
import { Attention } from "./attention";
import { ShownComment } from "./comments";
import { Images } from "./images";
import { lead } from "./leading";
import { ChosenLesion } from "./lesions";
import { keepMarks } from "./marks";
import { ProposedLesions } from "./proposed";

export type Tab = "segments" | "lesions" | "review" | "questions" | "comments" | "history";
export type Sheet = "keys" | "palette" | "settings";

export class Desk implements ToolHost {
  readonly session: ScanSession;
  readonly work: Work;
  readonly revisions: Revisions;
  readonly review: Review;
  readonly operations: Operations;
  readonly images: Images;
  readonly attention = new Attention();
  readonly lesion: ChosenLesion;
  readonly proposed: ProposedLesions;
  readonly comments: ShownComment;
  /** The subject's other scan, fetched when it is first asked for. */
  readonly prior: Prior | null;
  readonly #stage = signal<Stage | null>(null);
  readonly stage: ReadonlySignal<Stage | null> = this.#stage;
  readonly #strokes = signal<Strokes | null>(null);
  readonly strokes: ReadonlySignal<Strokes | null> = this.#strokes;
  readonly #stroke = signal<StrokeFacts | null>(null);
  /** What the stroke under way amounts to. */
  readonly stroke: ReadonlySignal<StrokeFacts | null> = this.#stroke;
  readonly #tab = signal<Tab>("segments");
  readonly tab: ReadonlySignal<Tab> = this.#tab;
  readonly #sheet = signal<Sheet | null>(null);
  readonly sheet: ReadonlySignal<Sheet | null> = this.#sheet;
  readonly #spaceHeld = signal(false);
  readonly spaceHeld: ReadonlySignal<boolean> = this.#spaceHeld;
  #hasPrior = false;

  /** What was looked at; null where the campaign does not ask. */
  readonly seen = computed<SeenFacts | null>(() => {
    const { looks, lesions, context } = this.session;
    const { policy, enough } = context.seen;
    if (policy === "off") return null;
    const [visited, all] = looks.lesions(lesions.value);
    const [, rows, columns] = context.scan.shape_zyx;
    const unseen = looks.firstUnseen;
    return {
      share: looks.count.value / Math.max(1, looks.depth),
      visited,
      lesions: all,
      isEnough: looks.share >= enough && visited >= all,
      blocks: policy === "block",
      next: unseen === null ? null : [columns >> 1, rows >> 1, unseen],
    };
  });

  readonly checks = computed(() => {
    const { session, work } = this;
    const stats = session.stats.value;
    const infectious = new Set(session.segments.filter((s) => s.infectious).map((s) => s.id));
    const facts = {
      infectiousMl: stats.segments.filter((s) => infectious.has(s.segment)).reduce((sum, s) => sum + s.ml, 0),
      totalMl: stats.segments.reduce((sum, s) => sum + s.ml, 0),
      unit: session.unit,
      ...this.#outside(),
    };
    const isAnnotation = session.context.stage === "annotation";
    const comments = {
      open: isAnnotation ? work.comments.value.filter((c) => c.state !== "resolved").length : 0,
      refused: work.talk.waiting.value.filter((word) => word.refused !== null).length,
    };
    return checkWork(session.context.schema, work.answers.value, facts, comments, this.seen.value, this.#undecided());
  });

  constructor(readonly context: Context) {
    this.session = new ScanSession(context);
    this.prior = context.prior ? new Prior(context.prior, this.session) : null;
    this.images = new Images(this.session);
    this.lesion = new ChosenLesion(this.session);
    this.proposed = new ProposedLesions(this.session, () => this.turnTo("lesions"));
    let tool = toolOf(this.session);
    this.session.selection.tool.subscribe(() => {
      const chosen = toolOf(this.session);
      if (chosen !== tool) tool.leave?.(this);
      tool = chosen;
    });
    this.work = new Work(this.session, () =>
      this.checks.value
        .filter((c) => !c.ok && c.code !== "open_comments")
        .map((c) => ({ code: c.code, message: `${c.text}.`, blocking: c.blocking, jump: c.jump })),
    );
    this.comments = new ShownComment(this.session, this.work, this.attention, () => this.turnTo("comments"));
    this.revisions = new Revisions(this.session);
    this.operations = new Operations(
      this.session,
      () => this.stage.value?.cursor.value?.ijk ?? this.session.cross.value,
    );
    this.review = new Review(
      this.session,
      this.work.checks,
      computed(() => context.can.approve || this.tab.value === "review"),
    );
    if (context.feedback) this.#tab.value = "review";
    else if (context.review && !context.can.edit) this.#tab.value = this.review.isCorrection ? "review" : "comments";
  }

  /** Load everything; the panes appear as soon as the preview is there. */
  async open(): Promise<void> {
    beginScan();
    const stop = this.session.phase.subscribe((phase) => {
      if (phase === "preview" && !this.stage.value) this.#showStage();
    });
    lead({ session: this.session, review: this.review, talk: this.work.talk, turnTo: (tab) => this.turnTo(tab) });
    await this.session.open();
    stop();
    void this.#sendOthers();
    addEventListener("online", () => void this.#sendOthers());
  }

  #showStage(): void {
    const stage = new Stage(this.session);
    this.#strokes.value = new Strokes(stage, (facts) => {
      this.#stroke.value = facts;
    });
    this.images.begin(stage);
    if (this.session.geometry.shapeZyx[0] === 1) stage.maximise("axial"); // a radiograph has one plane
    keepMarks(stage, this.work);
    this.#stage.value = stage;
  }

  /** Other scans whose strokes wait in this browser go to the server behind this one. */
  async #sendOthers(): Promise<void> {
    const { user, id } = this.context;
    const home = await import("../../offline/home").catch(() => null);
    if (!home) return; // the line was cut meanwhile: they go at the next opening
    const { bringAllHome, waitingWords } = home;
    await bringAllHome(user, id, (scan, done) => {
      if (!done || done.waits || !waitingWords(scan)) return;
      const text = done.left
        ? `${scan.code}: ${done.left}`
        : done.submitted
          ? t("{code} is saved and handed in.", { code: scan.code })
          : t("{code} is saved.", { code: scan.code });
      this.session.notices.say(text, done.left ? "warn" : "info");
    });
  }

  /** Of the model's lesions; null where the campaign does not ask, and for a judge. */
  #undecided(): ProposedFacts | null {
    const { can, proposed_policy: policy } = this.context;
    if (policy === "off" || !can.submit) return null;
    const { list, left } = this.proposed;
    return { all: list.value.length, left: left.value, blocks: policy === "block" };
  }

  /** What is marked outside the lungs, as far as it is known. */
  #outside(): { outsideMl: number | null; firstOutside: Ijk | null } {
    const { session } = this;
    const { mirror } = session;
    if (!mirror || !session.maskReady.value) return { outsideMl: null, firstOutside: null };
    void mirror.version.value;
    const { outside, firstOutside } = mirror.totals();
    const isKnown = mirror.hasLimit && mirror.complete.value;
    return { outsideMl: isKnown ? outside * session.voxelMl : null, firstOutside };
  }

  /** Bring a tab of the side panel up. */
  turnTo(tab: Tab): void {
    this.#tab.value = tab;
  }

  /** Bring a tab of the side panel up, with the focus on it. */
  showTab(tab: Tab): void {
    this.turnTo(tab);
    this.attention.bring(`tab-${tab}`);
  }

  openSheet(sheet: Sheet): void {
    this.#sheet.value = sheet;
  }

  closeSheet(): void {
    this.#sheet.value = null;
  }

  /** While the space bar is held, a drag moves the image. */
  holdSpace(isHeld: boolean): void {
    this.#spaceHeld.value = isHeld;
  }

  askForComment(ijk: Ijk): void {
    this.work.ask({ kind: "comment", ijk });
  }

  /** Show what a check or an interlock speaks of. */
  jump(to: Jump): void {
    this.work.dismiss();
    if (to.ijk) this.session.goTo(to.ijk);
    if (to.question) {
      this.turnTo("questions");
      this.attention.bring(`question-${to.question}`);
    } else if (to.proposed) this.proposed.step(1);
    else if (to.comments) this.comments.step();
    else if (to.refused) this.comments.showRefused();
    else if (to.layer || to.segments) this.turnTo("segments");
  }

  /** Go to the next question without an answer after `from`, round and round, the required ones first. */
  nextUnanswered(from?: string): void {
    const questions = shownQuestions(this.context.schema.questions, this.work.answers.value);
    // Where something is marked nobody is asked to confirm that nothing is.
    const isMarked = this.session.stats.value.segments.some((s) => s.voxels > 0);
    const open = questions.filter(
      (q) => !(q.key in this.work.answers.value) && !(isMarked && q.key === "confirmed_empty"),
    );
    const required = open.filter((q) => q.required);
    const among = required.length ? required : open;
    const focused = document.activeElement?.closest("[id^=question-]")?.id.replace("question-", "");
    const at = questions.findIndex((q) => q.key === (from ?? focused));
    const next = among.find((q) => questions.indexOf(q) > at) ?? among[0];
    if (next && next.key !== from) this.jump({ question: next.key });
    else if (this.context.can.submit) this.attention.await("submit");
  }

  /** The reviewer has changed the mask or an answer: approving then means correct-and-approve. */
  get corrected(): boolean {
    const { can, review, schema } = this.context;
    if (!can.correct || !review) return false;
    return this.review.isRedrawn.value || !isSame(schema.questions, this.work.answers.value, review.answers);
  }

  /** Asks for the signature of what the verdict is now. */
  askApproval(): void {
    this.work.verdicts.ask(this.corrected ? "correct" : "approve");
  }

  /** A return needs a comment that says what to do. */
  askReturn(): void {
    const { talk, left } = this.work;
    if (left) return;
    if (talk.saysWhatToChange) {
      void this.work.verdicts.give("return");
      return;
    }
    this.turnTo("comments");
    const words = t("Add at least one comment first: the author needs to know what to change.");
    this.session.notices.say(words, "warn", () => !talk.saysWhatToChange);
  }

  /** Pins a remark to the crosshair, which stands on the chosen lesion or difference. */
  remark(words: string): void {
    const { session, work } = this;
    work.addComment(`${words}.`, session.cross.value);
    session.notices.say(t("Pinned to slice {n}: “{words}.”", { n: session.cross.value[2] + 1, words }));
  }

  /** The subject's other scan beside this one, or the four panes again. */
  compare(): void {
    const stage = this.stage.value;
    if (!stage || !this.prior) return;
    stage.maximise(null);
    stage.arrange(stage.layout.value === "compare" ? "four" : "compare");
    if (!this.#hasPrior) void this.prior.open();
    this.#hasPrior = true;
  }
}

export const DeskContext = createContext<Desk | null>(null);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (!desk) throw new Error("A panel stands outside the desk.");
  return desk;
}
