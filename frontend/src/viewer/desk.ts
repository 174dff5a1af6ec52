/** Everything of one opened page in one place, handed to the panels. */

import { computed, effect, signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Box, Lesion } from "../editor/types";
import { checkWork } from "./checks";
import { Revisions } from "./history";
import type { Context, Jump } from "./context";
import { CanvasBackend, detectGraphics, type Graphics, type Hosts } from "./image/backend";
import { Operations } from "./operations";
import { Strokes, type StrokeFacts } from "./panes/stroke";
import { View } from "./panes/view";
import { Review } from "./review";
import { t } from "./language";
import { Prior } from "./prior";
import { isSame, shownQuestions } from "./questions";
import { Session } from "./session";
import { settings } from "./settings";
import { toolOf } from "./tools";
import { Work } from "./work";

export type Tab = "segments" | "lesions" | "review" | "questions" | "comments" | "history";
export type Sheet = "keys" | "palette" | "settings";

export class Desk {
  readonly session: Session;
  readonly work: Work;
  readonly revisions: Revisions;
  readonly review: Review;
  readonly operations: Operations;
  readonly hosts: Hosts = new Map();
  readonly view = signal<View | null>(null);
  /** The subject's other scan, fetched when it is first asked for. */
  readonly prior: Prior | null;
  readonly strokes = signal<Strokes | null>(null);
  readonly stroke = signal<StrokeFacts | null>(null);
  readonly tab = signal<Tab>("segments");
  readonly sheet = signal<Sheet | null>(null);
  readonly lesion = signal(-1);
  readonly spaceHeld = signal(false);
  readonly graphics: Graphics = detectGraphics();
  readonly backendName = signal("canvas");

  readonly checks = computed(() => {
    const { session, work } = this;
    const stats = session.stats.value;
    let outsideMl: number | null = null;
    let firstOutside = null;
    if (session.mirror && session.maskReady.value) {
      void session.mirror.version.value;
      const totals = session.mirror.totals();
      if (session.mirror.hasLimit && session.mirror.complete.value) outsideMl = totals.outside * session.voxelMl;
      firstOutside = totals.firstOutside;
    }
    const infectious = new Set(session.segments.filter((s) => s.infectious).map((s) => s.id));
    return checkWork(
      session.context.schema,
      work.answers.value,
      {
        infectiousMl: stats.segments.filter((s) => infectious.has(s.segment)).reduce((sum, s) => sum + s.ml, 0),
        totalMl: stats.segments.reduce((sum, s) => sum + s.ml, 0),
        unit: session.unit,
        outsideMl,
        firstOutside,
      },
      {
        open:
          session.context.stage === "annotation" ? work.comments.value.filter((c) => c.state !== "resolved").length : 0,
        refused: work.talk.waiting.value.filter((word) => word.refused !== null).length,
      },
    );
  });

  constructor(readonly context: Context) {
    this.session = new Session(context);
    this.prior = context.prior ? new Prior(context.prior, this.session) : null;
    let before = this.session.lesions.value;
    this.session.lesions.subscribe((lesions) => {
      // The list is sorted by size and moves while one draws: the chosen lesion is found again by its place.
      const chosen = before[this.lesion.value];
      before = lesions;
      this.lesion.value = chosen
        ? lesions.findIndex((l) => l.segment === chosen.segment && overlaps(l.box, chosen.box))
        : -1;
    });
    let tool = toolOf(this.session);
    this.session.tool.subscribe(() => {
      const chosen = toolOf(this.session);
      if (chosen !== tool) tool.leave?.(this);
      tool = chosen;
    });
    this.work = new Work(this.session);
    this.revisions = new Revisions(this.session);
    this.operations = new Operations(
      this.session,
      () => this.view.value?.cursor.value?.ijk ?? this.session.cross.value,
    );
    this.work.hindrances = () =>
      this.checks.value
        .filter((c) => !c.ok && c.code !== "open_comments")
        .map((c) => ({
          code: c.code,
          message: `${c.text}.`,
          blocking: c.blocking,
          jump: c.jump,
        }));
    this.review = new Review(
      this.session,
      this.work.checks,
      computed(() => context.can.approve || this.tab.value === "review"),
    );
    if (context.review && !context.can.edit) this.tab.value = "comments";
  }

  /** Load everything; the panes appear as soon as the preview is there. */
  async open(): Promise<void> {
    const stop = this.session.phase.subscribe((phase) => {
      if (phase !== "preview" || this.view.value) return;
      const view = new View(this.session, this.graphics !== "hardware");
      this.strokes.value = new Strokes(view, (facts) => {
        this.stroke.value = facts;
      });
      view.backend = new CanvasBackend(this.session, this.hosts, this.graphics !== "hardware");
      if (this.session.geometry.shapeZyx[0] === 1) view.maximised.value = "axial"; // a radiograph has one plane
      this.view.value = view;
      if (this.wantsCornerstone) void this.useCornerstone(view, this.wantsCornerstone);
    });
    this.#lead();
    await this.session.open();
    stop();
    void this.#sendOthers();
    addEventListener("online", () => void this.#sendOthers());
  }

  /** Other scans whose strokes wait in this browser go to the server behind this one. */
  async #sendOthers(): Promise<void> {
    const { user, id } = this.context;
    const { bringAllHome } = await import("../offline/home");
    await bringAllHome(user, id, (scan, done) => {
      if (!done || done.waits) return;
      const text = done.left
        ? `${scan.code}: ${done.left}`
        : done.submitted
          ? t("{code} is saved and handed in.", { code: scan.code })
          : t("{code} is saved.", { code: scan.code });
      this.session.notice.value = { text, tone: done.left ? "warn" : "info" };
    });
  }

  /** `?rendering=gpu|cpu` in the address (tests, measurements) goes before the setting. */
  get wantsCornerstone(): "gpu" | "cpu" | null {
    const asked = new URLSearchParams(location.search).get("rendering") ?? settings.value.rendering;
    if (asked === "cornerstone-cpu") return "cpu";
    if (this.graphics === "none" || asked === "cpu") return null;
    return asked === "gpu" || this.graphics === "hardware" ? "gpu" : null;
  }

  /** Take Cornerstone's script and let it draw the images; the canvas stays when it cannot. */
  async useCornerstone(view: View, kind: "gpu" | "cpu"): Promise<void> {
    try {
      const [{ CornerstoneBackend }] = await Promise.all([import("./image/cornerstone"), this.session.fill()]);
      const backend = await CornerstoneBackend.create(this.session, view, this.hosts, kind);
      view.backend?.close();
      view.backend = backend;
      this.backendName.value = backend.name;
      view.redraw("image");
    } catch (error) {
      console.info("Cornerstone stays off:", error);
    }
  }

  /** Show what a check or an interlock speaks of. */
  jump(to: Jump): void {
    this.work.asking.value = null;
    if (to.ijk) this.session.goTo(to.ijk);
    if (to.question) {
      this.tab.value = "questions";
      requestAnimationFrame(() => {
        const field = document.getElementById(`question-${to.question}`);
        field?.scrollIntoView({ block: "nearest" });
        (field?.querySelector<HTMLElement>("input, textarea, select") ?? field)?.focus();
      });
    } else if (to.comments) this.stepComment();
    else if (to.refused) this.showRefused();
    else if (to.layer || to.segments) this.tab.value = "segments";
  }

  /** Bring a tab of the side panel up, with the focus on it. */
  showTab(tab: Tab): void {
    this.tab.value = tab;
    requestAnimationFrame(() => document.getElementById(`tab-${tab}`)?.focus());
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
    const at = questions.findIndex(
      (q) => q.key === (from ?? document.activeElement?.closest("[id^=question-]")?.id.replace("question-", "")),
    );
    const next = among.find((q) => questions.indexOf(q) > at) ?? among[0];
    if (next && next.key !== from) this.jump({ question: next.key });
    else if (this.context.can.submit) document.querySelector<HTMLElement>("[data-testid=submit]")?.focus();
  }

  /** Show a comment, where it is pinned and what is said. */
  showComment(n: number): void {
    const comment = this.work.comments.value[n];
    this.tab.value = "comments";
    this.comment = n;
    if (comment?.ijk) this.session.goTo(comment.ijk);
    if (comment) requestAnimationFrame(() => document.getElementById(`comment-${comment.id}`)?.focus());
  }

  /** The next comment that is open or was not read, round and round; where there is none, the next of all. */
  stepComment(): void {
    const comments = this.work.comments.value;
    const { talk } = this.work;
    const wanted = comments
      .map((c, n) => (c.state !== "resolved" || [c, ...c.replies].some((words) => talk.isUnread(words)) ? n : -1))
      .filter((n) => n >= 0);
    const among = wanted.length ? wanted : comments.map((_, n) => n);
    const next = among.find((n) => n > this.comment) ?? among[0];
    if (next === undefined) this.tab.value = "comments";
    else this.showComment(next);
  }

  /** The first of one's own words that the server did not take. */
  showRefused(): void {
    this.tab.value = "comments";
    const word = this.work.talk.waiting.value.find(({ refused }) => refused !== null);
    if (word) requestAnimationFrame(() => document.getElementById(`word-${word.id}`)?.focus());
  }

  /** Index of the comment that was shown last. */
  comment = -1;

  /** The reviewer has changed the mask or an answer: approving then means correct-and-approve. */
  get corrected(): boolean {
    const {
      session,
      context: { can, review, schema },
    } = this;
    if (!can.correct || !review) return false;
    // What was drawn on another machine is no stroke of this browser, but another revision.
    const { value: save } = session.save;
    const isOther =
      session.maskReady.value &&
      save.kind === "saved" &&
      save.revision !== (review.submitted[session.layer.name] ?? "empty");
    return (
      isOther ||
      session.history.value.undoDepth > 0 ||
      !isSame(schema.questions, this.work.answers.value, review.answers)
    );
  }

  /** A return needs a comment that says what to do. */
  askReturn(): void {
    if (this.work.drafts.value.length) {
      void this.work.verdict("return");
      return;
    }
    this.tab.value = "comments";
    this.session.notice.value = {
      text: t("Add at least one comment first: the author needs to know what to change."),
      tone: "warn",
    };
  }

  /** Pins a remark to the crosshair, which stands on the chosen lesion or difference. */
  remark(words: string): void {
    const { session, work } = this;
    work.addComment(`${words}.`, session.cross.value);
    session.notice.value = {
      text: t("Pinned to slice {n}: “{words}.”", { n: session.cross.value[2] + 1, words }),
      tone: "info",
    };
  }

  /** A judge first sees what matters most: the largest difference to the model or the round before, else the largest lesion. */
  #lead(): void {
    if (!this.context.can.approve) return;
    this.tab.value = "review";
    const { review, session } = this;
    const stop = effect(() => {
      const [difference] = review.differences.value,
        [lesion] = session.lesions.value;
      if (difference) {
        session.goTo(difference.ijk);
        review.index.value = 0;
      } else if (lesion && (review.isCounted.value || session.context.overlays.length === 0)) session.goTo(lesion.ijk);
      else return;
      queueMicrotask(() => stop());
    });
  }

  /** The subject's other scan beside this one, or the four panes again. */
  compare(): void {
    const view = this.view.value;
    if (!view || !this.prior) return;
    view.maximised.value = null;
    view.layout.value = view.layout.value === "compare" ? "four" : "compare";
    if (!this.#hasPrior) void this.prior.open();
    this.#hasPrior = true;
  }

  #hasPrior = false;

  /** Next or previous lesion of the list, round and round. */
  stepLesion(step: 1 | -1): void {
    const { lesions } = this.session;
    const n = lesions.value.length;
    if (!n) return;
    this.showLesion(this.lesion.value < 0 ? (step > 0 ? 0 : n - 1) : (this.lesion.value + step + n) % n);
  }

  /** The lesion at (or within two voxels of) a place of the grid; without one, the place itself. */
  showLesionAt(ijk: readonly number[]): void {
    const near = ({ box: { x0, x1, y0, y1, z0, z1 } }: Lesion) =>
      [
        [ijk[0], x0, x1],
        [ijk[1], y0, y1],
        [ijk[2], z0, z1],
      ].every(([at, from, to]) => at >= from - 2 && at <= to + 2);
    const size = ({ box: { x0, x1, y0, y1, z0, z1 } }: Lesion) => (x1 - x0) * (y1 - y0) * (z1 - z0);
    const { value: lesions } = this.session.lesions;
    const found = lesions.filter(near).sort((a, b) => size(a) - size(b))[0];
    if (found) this.showLesion(lesions.indexOf(found));
    else this.session.goTo(ijk.map(Math.floor));
  }

  showLesion(index: number): void {
    const lesion = this.session.lesions.value[index];
    if (!lesion) return;
    this.lesion.value = index;
    this.session.goTo(lesion.ijk);
  }
}

function overlaps(a: Box, b: Box): boolean {
  return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1 && a.z0 < b.z1 && b.z0 < a.z1;
}

export const DeskContext = createContext<Desk | null>(null);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (!desk) throw new Error("A panel stands outside the desk.");
  return desk;
}
