/** What is said to the server about the work, beside voxels: answers, comments, beats, handing in, verdicts. */

import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Ijk } from "../../editor/types";
import { intentsOf, Shelf, type Kinds } from "../../offline/intents";
import { moveOld } from "../../offline/older";
import { call, Problem } from "../../ground/api";
import { Beat } from "./beat";
import { Commenting } from "./commenting";
import type { Interlock } from "../../ground/context";
import * as shape from "../../ground/shapes";
import { type Asking, whyFailed } from "./asking";
import type { Identity } from "./door";
import { LogIn } from "./login";
import { offerFile } from "./download";
import { t } from "../../ground/language";
import { leaveNews, type News, takeBack, takeNews, undoWordsOf } from "../../ground/news";
import { Outgoing, type Values } from "./outgoing";
import { withReturning } from "./questions";
import type { ScanSession } from "../scan/session";
import { openAgainWhenLost } from "./reopening";
import { Submitting } from "./submitting";
import { Talk } from "./talk";
import { Verdicts } from "./verdicts";

export class Work {
  readonly talk: Talk;
  readonly #answers: Outgoing;
  /** Differences that a judge has checked, by name. */
  readonly checks: Outgoing;
  /** What was measured, by id. */
  readonly marks: Outgoing;
  /** What waits in this browser of this scan, by kind. */
  readonly shelf: <K extends keyof Kinds>(kind: K) => Shelf<K>;
  /** What an older version kept is where it belongs now. */
  readonly ready: Promise<void>;
  readonly #asking = signal<Asking | null>(null);
  readonly asking: ReadonlySignal<Asking | null> = this.#asking;
  /** What is being sent, in words; buttons wait meanwhile. */
  readonly #busy = signal<string | null>(null);
  readonly busy: ReadonlySignal<string | null> = this.#busy;
  readonly #login: LogIn;
  readonly signedOut: ReadonlySignal<boolean>;
  /** Somebody else who is logged in in this browser now. */
  readonly otherUser: ReadonlySignal<string | null>;
  readonly commenting: Commenting;
  /** What was done on the page before this one and can be taken back. */
  readonly news: Signal<News | null>;
  readonly #submitting: Submitting;
  readonly verdicts: Verdicts;
  readonly #beat: Beat;

  /** `hindrances`: what this page itself sees against submitting. */
  constructor(
    readonly session: ScanSession,
    hindrances: () => readonly Interlock[],
  ) {
    const { context } = session;
    this.news = signal(takeNews(context.user));
    this.#login = new LogIn(
      context.user,
      (headers) => session.editor.resume(headers),
      () => void this.saveAnswers().catch(() => undefined),
    );
    this.signedOut = this.#login.signedOut;
    this.otherUser = this.#login.otherUser;
    const intents = intentsOf(context.user);
    const of = { assignment: context.id, code: context.scan.code, review: context.review?.id ?? null };
    this.shelf = (kind) => new Shelf(intents, of, kind);
    this.ready = moveOld(intents, of);
    this.#answers = new Outgoing(
      this.shelf("answer"),
      context.answers.values,
      this.canAnswer,
      (values) => call("PATCH", context.answers.url, { values }, shape.SavedAnswers),
      this.ready,
    );
    const { can, review } = context;
    this.checks = new Outgoing(
      this.shelf("check"),
      Object.fromEntries((review?.looked_at ?? []).map((name) => [name, true])),
      can.approve,
      (values) => call("PATCH", `${this.reviewUrl}/checks`, { values }, shape.Checks),
      this.ready,
    );
    this.marks = this.#keptMarks();
    this.talk = new Talk(context, this.shelf("word"), this.shelf("draft"), this.ready);
    this.commenting = new Commenting(this.talk, (words, action) => this.say(words, action));
    openAgainWhenLost(session);
    this.#submitting = new Submitting(this, hindrances);
    this.verdicts = new Verdicts(this);
    session.save.subscribe(({ kind }) => {
      if (kind === "signed-out") void this.#login.lost();
      else if (kind === "saved") {
        this.#login.isGood();
        void this.#submitting.submitNow();
      }
    });
    this.#beat = new Beat(
      `${this.url}/beat`,
      this.shelf("activity"),
      () => ({
        slices: session.looks.text,
        ...(session.phase.value === "complete" ? { lesions: session.looks.lesions(session.lesions.value) } : {}),
      }),
      // What was handed in or judged is no longer this person's to hold.
      () => !this.left && (can.edit || can.approve),
      () => void this.#login.lost(),
    );
  }

  #keptMarks(): Outgoing {
    const { marks, can } = this.session.context;
    const send = (values: Values) => call("PATCH", marks.url, { values }, shape.Marks);
    return new Outgoing(this.shelf("mark"), marks.own, can.edit, send, this.ready);
  }

  /** Opens a dialog. */
  ask(asking: Asking): void {
    this.#asking.value = asking;
  }

  /** Closes the dialog that is open. */
  dismiss(): void {
    this.#asking.value = null;
  }

  get answers() {
    return this.#answers.values;
  }
  get answersUnsaved() {
    return this.#answers.unsaved;
  }
  get answersRefused() {
    return this.#answers.refused;
  }
  get comments() {
    return this.talk.comments;
  }

  get url(): string {
    return `/api/v1/assignments/${this.session.context.id}`;
  }
  get reviewUrl(): string {
    return `/api/v1/reviews/${this.session.context.review?.id}`;
  }

  /** The author answers, and a reviewer corrects. */
  get canAnswer(): boolean {
    return this.session.context.can.submit || this.session.context.can.correct;
  }

  setAnswer(key: string, value: unknown): void {
    this.#answers.set(withReturning(this.session.context.schema.questions, this.answers.value, key, value));
  }

  /** Send the answers now; rejects when they could not be sent. */
  saveAnswers(): Promise<void> {
    return this.#answers.save();
  }

  /** Hand the scan in; `acknowledged`: warnings that were read. */
  submit(acknowledged: readonly string[] = []): Promise<void> {
    return this.#submitting.submit(acknowledged);
  }

  async giveReason(kind: "skip" | "block", reason: string): Promise<void> {
    await this.say(kind === "skip" ? t("Skipping") : t("Blocking"), async () => {
      await this.session.editor.flush();
      await this.#beat.send();
      await call("POST", `${this.url}/${kind}`, { reason });
      this.leave(
        this.session.context.next,
        kind === "skip" ? t("Skipped.") : t("Blocked; the coordinator sees the reason."),
      );
    });
  }

  /** Send when the person was active, and what was looked at, now. Throws `TypeError` without a network. */
  sendActivity(): Promise<void> {
    return this.#beat.send();
  }

  addComment(text: string, ijk: Ijk | null): void {
    this.talk.say(text, ijk);
  }

  /** Go on saving with a new session; false when it is somebody else's. */
  signedInAgain(identity: Identity): Promise<boolean> {
    return this.#login.again(identity);
  }

  /** The mask as it is here, sent or not, as a file. */
  async downloadMask(): Promise<void> {
    const { context, layer, editor } = this.session;
    offerFile(await editor.exportNifti(), `${context.scan.code}-${layer.name}.nii.gz`);
  }

  /** Does it while nothing else is sent; says what went wrong. */
  async say(words: string, action: () => Promise<void>): Promise<void> {
    if (this.busy.value) return;
    this.#busy.value = words;
    try {
      await action();
    } catch (error) {
      if (error instanceof Problem && error.signedOut) {
        await this.#login.lost();
        this.ask({ kind: "log-in" });
        return;
      }
      if (error instanceof Error && error.message === "signed-out") {
        this.ask({ kind: "log-in" });
        return;
      }
      const why = whyFailed(error);
      this.session.notices.say(
        t("{action} did not work. {why}", { action: words, why }),
        error instanceof TypeError ? "warn" : "bad",
      );
    } finally {
      this.#busy.value = null;
    }
  }

  /** The work on this page has ended: on to the next. `news`: how it can be taken back. */
  leave(next: string | null, otherwise: string, news: News | null = null): void {
    this.#left.value = true;
    this.#verdict.value = news?.kind === "approved" || news?.kind === "returned" ? news.kind : null;
    if (news) leaveNews(news);
    if (next) location.assign(next);
    else this.ask({ kind: "done", text: otherwise, news });
  }

  /** Take back what was done on the page before this one. */
  async takeBack(news: News): Promise<void> {
    await this.say(undoWordsOf(news), async () => {
      try {
        await takeBack(news);
        this.#left.value = true;
      } catch (error) {
        if (error instanceof Problem && error.signedOut) throw error;
        const isFinal = error instanceof Problem;
        if (isFinal) this.news.value = null;
        const asking = this.asking.value;
        if (asking?.kind !== "done") throw error;
        // What was decided stays decided: the dialog says why, and never gives way to a page that looks undecided.
        this.ask({ ...asking, news: isFinal ? null : news, why: whyFailed(error) });
      }
    });
  }

  readonly #left = signal(false);
  readonly #verdict = signal<"approved" | "returned" | null>(null);
  /** What was decided on this page. */
  readonly verdict: ReadonlySignal<"approved" | "returned" | null> = this.#verdict;

  /** Work was handed in: leaving the page needs no warning, and nothing more is decided here. */
  get left(): boolean {
    return this.#left.value;
  }

  /** Strokes, answers and words that the server does not have yet. */
  get unsent(): number {
    const save = this.session.save.value;
    return ("unsent" in save ? save.unsent : 0) + (this.answersUnsaved.value ? 1 : 0) + this.talk.waiting.value.length;
  }

  close(): void {
    this.#beat.close();
    this.#answers.close();
    this.checks.close();
    this.marks.close();
    this.talk.close();
  }
}
