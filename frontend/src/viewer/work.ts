/** What is said to the server about the work, beside voxels: answers, comments, beats, handing in, verdicts. */

import { signal } from "@preact/signals";
import type { Ijk } from "../editor/types";
import { intentsOf, Shelf, type Kinds } from "../offline/intents";
import { moveOld } from "../offline/moving";
import { Away, call, csrfHeaders, Problem, useToken } from "./api";
import { whyDamaged, whyNoSubmit } from "./checks";
import type { Comment, Interlock, Reply } from "./context";
import { identify, type Identity } from "./door";
import { t } from "./language";
import { Outgoing, type Values } from "./outgoing";
import { withReturning } from "./questions";
import type { Session } from "./session";
import { Talk } from "./talk";

const BEAT_MS = 30_000;
/** Without a key, a move or a wheel for this long, time does not count as work. */
const IDLE_MS = 60_000;
/** How often the page looks by itself whether another tab has logged in. */
const LOOK_AGAIN_MS = 20_000;

export type Verdict = "approve" | "correct" | "return";

/** A dialog that waits for the person; null when none. */
export type Asking =
  | { readonly kind: "skip" | "block" }
  | { readonly kind: "signature"; readonly verdict: Verdict; readonly wrong: boolean }
  | { readonly kind: "interlocks"; readonly found: readonly Interlock[] }
  | { readonly kind: "comment"; readonly ijk: Ijk }
  | { readonly kind: "log-in" | "offline" }
  /** Handing in waits for the network. */
  | { readonly kind: "kept"; readonly next: string | null }
  | { readonly kind: "done"; readonly text: string };

const interlocksOf = (problem: Problem): readonly Interlock[] =>
  (problem.body["interlocks"] as Interlock[] | undefined) ?? [];

export class Work {
  readonly talk: Talk;
  readonly #answers: Outgoing;
  /** Differences that a judge has checked, by name. */
  readonly checks: Outgoing;
  /** What waits in this browser of this scan, by kind. */
  readonly shelf: <K extends keyof Kinds>(kind: K) => Shelf<K>;
  /** What an older version kept is where it belongs now. */
  readonly ready: Promise<void>;
  readonly asking = signal<Asking | null>(null);
  /** What is being sent, in words; buttons wait meanwhile. */
  readonly busy = signal<string | null>(null);
  readonly signedOut = signal(false);
  /** Somebody else who is logged in in this browser now. */
  readonly otherUser = signal<string | null>(null);
  #lookedAt = -Infinity;
  /** Handing in was asked for on this page without a network: warnings that were acknowledged. */
  #wish: readonly string[] | null = null;
  #lastSign = performance.now();
  #activeMs = 0;
  #sampled = performance.now();
  readonly #timer: number;

  constructor(readonly session: Session) {
    const { context } = session;
    const intents = intentsOf(context.user);
    const of = { assignment: context.id, code: context.scan.code, review: context.review?.id ?? null };
    this.shelf = (kind) => new Shelf(intents, of, kind);
    this.ready = moveOld(intents, of);
    this.#answers = new Outgoing(
      this.shelf("answer"),
      context.answers.values,
      this.canAnswer,
      (values) => call<{ values: Values }>("PATCH", context.answers.url, { values }),
      this.ready,
    );
    const { can, review } = context;
    this.checks = new Outgoing(
      this.shelf("check"),
      Object.fromEntries((review?.looked_at ?? []).map((name) => [name, true])),
      can.approve,
      (values) => call<{ values: Values }>("PATCH", `${this.reviewUrl}/checks`, { values }),
      this.ready,
    );
    this.talk = new Talk(context, this.shelf("word"), this.shelf("draft"), this.ready);
    session.save.subscribe(({ kind }) => {
      if (kind === "signed-out") void this.#lostSession();
      else if (kind === "saved") {
        this.signedOut.value = false;
        void this.#submitNow();
      }
    });
    const sign = () => {
      this.#count();
      this.#lastSign = performance.now();
    };
    for (const name of ["pointermove", "pointerdown", "keydown", "wheel"])
      addEventListener(name, sign, { passive: true, capture: true });
    this.#timer = window.setInterval(() => void this.#beat(), BEAT_MS);
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
  get drafts() {
    return this.talk.drafts;
  }

  get url(): string {
    return `/api/v1/assignments/${this.session.context.id}`;
  }
  get reviewUrl(): string {
    return `/api/v1/reviews/${this.session.context.review?.id}`;
  }

  /** Add the time since the last look, as far as it was not idle. */
  #count(): void {
    const now = performance.now();
    const idleFrom = this.#lastSign + IDLE_MS;
    if (!document.hidden) this.#activeMs += Math.max(0, Math.min(now, idleFrom) - this.#sampled);
    this.#sampled = now;
  }

  async #beat(): Promise<void> {
    // What was handed in or judged is no longer this person's to hold.
    if (this.left || (!this.session.context.can.edit && !this.session.context.can.approve)) return;
    this.#count();
    const seconds = Math.round(this.#activeMs / 1000);
    try {
      await call("POST", `${this.url}/beat`, { active_seconds: seconds });
      this.#activeMs -= seconds * 1000;
    } catch (error) {
      if (error instanceof Problem && error.signedOut) void this.#lostSession();
    }
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

  /** What this page itself sees against submitting; the desk fills it in. */
  hindrances: () => readonly Interlock[] = () => [];

  /** Everything on the server, then `submit`. What speaks against it comes as a list to jump from. */
  async submit(acknowledged: readonly string[] = []): Promise<void> {
    const why = whyNoSubmit(this.session.save.value) ?? whyDamaged(this.session.lostSlices.value);
    if (why) {
      this.session.notice.value = { text: why, tone: "warn" };
      return;
    }
    const found = this.hindrances().filter((lock) => !acknowledged.includes(lock.code));
    if (found.length) {
      this.asking.value = { kind: "interlocks", found };
      return;
    }
    await this.#say(t("Submitting"), async () => {
      this.#wish = null;
      await this.shelf("submit").remove();
      try {
        await this.saveAnswers();
        await this.#flushed();
        const { next } = await call<{ next: string | null }>("POST", `${this.url}/submit`, { acknowledged });
        await this.shelf("answer").remove();
        this.#leave(next, t("Submitted. There is no further scan for you now."));
      } catch (error) {
        if (error instanceof TypeError) {
          await this.#submitLater(acknowledged);
          return;
        }
        if (!(error instanceof Problem) || error.code !== "interlocks") throw error;
        this.asking.value = { kind: "interlocks", found: interlocksOf(error) };
      }
    });
  }

  /** Everything on the server; rejects with `TypeError` as soon as it is plain that there is no network. */
  async #flushed(): Promise<void> {
    let stop: (() => void) | undefined;
    const offline = new Promise<never>((_, reject) => {
      stop = this.session.save.subscribe((state) => {
        if (state.kind === "offline" && state.reason !== "no_space") reject(new TypeError("offline"));
      });
    });
    await Promise.race([this.session.editor.flush(), offline]).finally(() => stop?.());
  }

  /** Without a network the wish to hand in is kept; the server checks it when strokes and answers have arrived. */
  async #submitLater(acknowledged: readonly string[]): Promise<void> {
    this.#wish = acknowledged;
    await this.shelf("submit").put({ "": { acknowledged, at: new Date().toISOString() } });
    this.asking.value = { kind: "kept", next: this.session.context.next };
  }

  /** The network is back on this very page: what was to be handed in is. */
  async #submitNow(): Promise<void> {
    if (!this.#wish || this.busy.value) return;
    this.asking.value = null;
    await this.submit(this.#wish);
  }

  async giveReason(kind: "skip" | "block", reason: string): Promise<void> {
    await this.#say(kind === "skip" ? t("Skipping") : t("Blocking"), async () => {
      await this.session.editor.flush();
      const { next } = await call<{ next?: string | null }>("POST", `${this.url}/${kind}`, { reason });
      this.#leave(
        next === undefined ? this.session.context.next : next,
        kind === "skip" ? t("Skipped.") : t("Blocked; the coordinator sees the reason."),
      );
    });
  }

  /** `approve`, `correct` (with the reviewer's own changes) or `return` (with the drafts). Asks for the password when it must. */
  async verdict(kind: Verdict, password = ""): Promise<void> {
    const why = kind === "return" ? null : whyDamaged(this.session.lostSlices.value);
    if (why) {
      this.session.notice.value = { text: why, tone: "warn" };
      return;
    }
    await this.#say(kind === "return" ? t("Returning") : t("Approving"), async () => {
      await this.saveAnswers();
      // The record of what was looked at never keeps a verdict from being given.
      await this.checks.save().catch(() => undefined);
      await this.session.editor.flush();
      const signature = password ? { password } : {};
      const drafts = this.drafts.value;
      const body =
        kind === "return" ? { comments: drafts.map(({ text, ijk }) => ({ text, ijk })), ...signature } : signature;
      try {
        const { next } = await call<{ next: string | null }>("POST", `${this.reviewUrl}/${kind}`, body);
        this.asking.value = null;
        this.talk.dropDrafts(drafts);
        await this.shelf("check").remove();
        this.#leave(next, kind === "return" ? t("Returned. The queue is empty.") : t("Approved. The queue is empty."));
      } catch (error) {
        if (error instanceof Problem && error.code === "interlocks") {
          this.asking.value = { kind: "interlocks", found: interlocksOf(error) };
          return;
        }
        if (!(error instanceof Problem) || (error.code !== "signature_required" && error.code !== "wrong_password"))
          throw error;
        this.asking.value = { kind: "signature", verdict: kind, wrong: error.code === "wrong_password" };
      }
    });
  }

  addComment(text: string, ijk: Ijk | null): void {
    this.talk.say(text, ijk);
  }

  removeDraft(index: number): void {
    this.talk.dropDrafts([this.drafts.value[index]]);
  }

  async setResolved(comment: Comment, resolved: boolean): Promise<void> {
    await this.#say(resolved ? t("Resolving") : t("Reopening"), async () => {
      this.talk.take(await call<Comment>("POST", `/api/v1/comments/${comment.id}/${resolved ? "resolve" : "reopen"}`));
    });
  }

  /** Change one's own comment, or a reply of one's own to it. Answers whether the server took it. */
  async edit(comment: Comment, reply: Reply | null, text: string): Promise<boolean> {
    let taken = false;
    await this.#say(t("Changing the comment"), async () => {
      if (reply) this.talk.takeReply(comment.id, await call<Reply>("PATCH", `/api/v1/replies/${reply.id}/`, { text }));
      else this.talk.take(await call<Comment>("PATCH", `/api/v1/comments/${comment.id}/`, { text }));
      taken = true;
    });
    return taken;
  }

  /** The server does not know us any more: perhaps a log-in in another tab has brought another token. */
  async #lostSession(): Promise<void> {
    if (performance.now() - this.#lookedAt > LOOK_AGAIN_MS) {
      this.#lookedAt = performance.now();
      const identity = await identify().catch(() => null);
      if (identity && (await this.signedInAgain(identity))) return;
      this.otherUser.value = identity?.user ?? null;
    }
    this.signedOut.value = true;
  }

  /** Go on saving with a new session; false when it is somebody else's: their requests must never carry these strokes. */
  async signedInAgain({ user, token }: Identity): Promise<boolean> {
    if (user !== this.session.context.user) return false;
    useToken(token);
    this.signedOut.value = false;
    this.otherUser.value = null;
    await this.session.editor.resume(csrfHeaders());
    void this.saveAnswers().catch(() => undefined);
    return true;
  }

  /** The mask as it is here, sent or not, as a file. */
  async downloadMask(): Promise<void> {
    const bytes = await this.session.editor.exportNifti();
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: "application/gzip" }));
    link.download = `${this.session.context.scan.code}-${this.session.layer.name}.nii.gz`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  async #say(words: string, action: () => Promise<void>): Promise<void> {
    if (this.busy.value) return;
    this.busy.value = words;
    try {
      await action();
    } catch (error) {
      if (error instanceof Problem && error.signedOut) {
        await this.#lostSession();
        this.asking.value = { kind: "log-in" };
        return;
      }
      if (error instanceof Error && error.message === "signed-out") {
        this.asking.value = { kind: "log-in" };
        return;
      }
      const why =
        error instanceof Problem
          ? error.message
          : error instanceof Away
            ? t("The server cannot do it just now; nothing is lost. Try again in a moment.")
            : error instanceof TypeError
              ? t("The server cannot be reached; nothing is lost.")
              : (error as Error).message;
      this.session.notice.value = {
        text: t("{action} did not work. {why}", { action: words, why }),
        tone: error instanceof TypeError ? "warn" : "bad",
      };
    } finally {
      this.busy.value = null;
    }
  }

  #leave(next: string | null, otherwise: string): void {
    this.left = true;
    if (next) location.assign(next);
    else this.asking.value = { kind: "done", text: otherwise };
  }

  /** Work was handed in: leaving the page needs no warning. */
  left = false;

  /** Strokes, answers and words that the server does not have yet. */
  get unsent(): number {
    const save = this.session.save.value;
    return ("unsent" in save ? save.unsent : 0) + (this.answersUnsaved.value ? 1 : 0) + this.talk.waiting.value.length;
  }

  close(): void {
    window.clearInterval(this.#timer);
    this.#answers.close();
    this.checks.close();
    this.talk.close();
  }
}
