/** Comments and replies. Words that the server does not have yet wait in this browser: none is lost, and none is said twice. */

import { computed, signal } from "@preact/signals";
import type { Ijk } from "../editor/types";
import { uuid } from "../editor/uuid";
import { call, Problem } from "./api";
import type { Comment, Context, Reply } from "./context";
import { Kept } from "./kept";

const AGAIN_MS = 5000;
/** As long as the server lets one change one's own words. */
const EDITABLE_MS = 15 * 60_000;

/** A comment of a return that is not sent yet. */
export interface Draft { readonly text: string; readonly ijk: Ijk | null }

/** Words on their way: a comment, or a reply to one. `refused` says why the server does not take them. */
export interface Waiting { readonly id: string; readonly text: string; readonly ijk: Ijk | null; readonly to: string | null; readonly refused: string | null }

export class Talk {
  readonly comments = signal<readonly Comment[]>([]);
  readonly drafts = signal<readonly Draft[]>([]);
  readonly waiting = signal<readonly Waiting[]>([]);
  readonly seen = signal<string | null>(null);
  readonly unread = computed(() => this.comments.value.reduce((sum, c) => sum + [c, ...c.replies].filter((words) => this.isUnread(words)).length, 0));
  readonly #keptDrafts: Kept<readonly Draft[]>;
  readonly #keptWaiting: Kept<readonly Waiting[]>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sending: Promise<void> | null = null;

  constructor(private readonly context: Pick<Context, "id" | "can" | "review" | "user" | "comments" | "comments_seen">) {
    this.comments.value = context.comments;
    this.seen.value = context.comments_seen ?? null;
    this.#keptDrafts = new Kept(`voxloop.drafts.${context.user}.${context.review?.id}`);
    this.#keptWaiting = new Kept(`voxloop.talk.${context.user}.${context.id}`);
    if (context.can.return) {
      this.drafts.value = this.#keptDrafts.value ?? [];
      this.drafts.subscribe((drafts) => { this.#keptDrafts.value = drafts.length ? drafts : null; });
    }
    if (context.can.comment) this.waiting.value = this.#keptWaiting.value ?? [];
    if (this.waiting.value.length) this.#later(0);
  }

  isUnread(words: { readonly author: string; readonly created_at: string }): boolean {
    return words.author !== this.context.user && (this.seen.value === null || Date.parse(words.created_at) > Date.parse(this.seen.value));
  }

  /** Whether one's own words can still be changed; `later` are the replies after them. */
  canEdit(words: { readonly author: string; readonly created_at: string }, later: readonly Reply[], now = Date.now()): boolean {
    return this.context.can.comment && words.author === this.context.user && now - Date.parse(words.created_at) < EDITABLE_MS
      && later.every((reply) => reply.author === this.context.user);
  }

  /** A comment on a voxel: at once where a review is running, else with the return. */
  say(text: string, ijk: Ijk | null): void {
    if (!this.context.can.comment || !this.context.review) return;
    if (this.context.can.return) { this.drafts.value = [...this.drafts.value, { text, ijk }]; return; }
    this.#put([...this.waiting.value, { id: uuid(), text, ijk, to: null, refused: null }]);
  }

  reply(to: string, text: string): void { this.#put([...this.waiting.value, { id: uuid(), text, ijk: null, to, refused: null }]); }

  /** Send words again that were refused, or let them go. */
  again(id: string): void { this.#put(this.waiting.value.map((w) => (w.id === id ? { ...w, refused: null } : w))); }
  drop(id: string): void { this.#put(this.waiting.value.filter((w) => w.id !== id)); }

  /** Replace a comment by what the server says of it. */
  take(comment: Comment): void { this.comments.value = this.comments.value.map((c) => (c.id === comment.id ? comment : c)); }

  takeReply(to: string, reply: Reply): void {
    this.comments.value = this.comments.value.map((c) => (c.id !== to ? c : { ...c, replies: [...c.replies.filter((r) => r.id !== reply.id), reply].sort((a, b) => Date.parse(a.created_at) - Date.parse(b.created_at)) }));
  }

  /** Everything that is shown was read. */
  async markSeen(): Promise<void> {
    const { review } = this.context;
    if (!review || this.unread.value === 0) return;
    const times = this.comments.value.flatMap((c) => [c, ...c.replies].map((words) => words.created_at));
    const until = times.reduce((a, b) => (Date.parse(a) > Date.parse(b) ? a : b));
    // Only the server's count matters for later; a page that cannot reach it marks them read for itself.
    this.seen.value = until;
    await call("POST", `/api/v1/reviews/${review.id}/comments/seen`, { until }).catch(() => undefined);
  }

  #put(waiting: readonly Waiting[]): void {
    this.waiting.value = waiting;
    this.#keptWaiting.value = waiting.length ? waiting : null;
    void this.#send();
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#send(), ms);
  }

  #send(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => { this.#sending = null; });
    return this.#sending;
  }

  async #sendAll(): Promise<void> {
    for (let next = this.#first(); next; next = this.#first()) {
      const { id, text, ijk, to } = next;
      try {
        if (to) this.takeReply(to, await call<Reply>("POST", `/api/v1/comments/${to}/replies`, { id, text }));
        else this.comments.value = [...this.comments.value.filter((c) => c.id !== id), await call<Comment>("POST", `/api/v1/reviews/${this.context.review?.id}/comments`, { id, text, ijk })];
        this.#keep(this.waiting.value.filter((w) => w.id !== id));
      } catch (error) {
        // Without a network or a session, or with the token of another one, the words wait; only the server itself refuses them.
        if (!(error instanceof Problem) || error.signedOut || error.code === "permission_denied" || error.status >= 500) { this.#later(AGAIN_MS); return; }
        const refused = error.message;
        this.#keep(this.waiting.value.map((w) => (w.id === id ? { ...w, refused } : w)));
      }
    }
  }

  #first(): Waiting | undefined { return this.waiting.value.find((w) => w.refused === null); }

  #keep(waiting: readonly Waiting[]): void {
    this.waiting.value = waiting;
    this.#keptWaiting.value = waiting.length ? waiting : null;
  }

  close(): void { clearTimeout(this.#timer); }
}
