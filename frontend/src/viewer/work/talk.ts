/**
 * Comments and replies. Words that the server does not have yet wait in this browser: none is lost, and none is said
 * twice.
 */

import { computed, signal, type ReadonlySignal } from "@preact/signals";
import type { Ijk } from "../../editor/types";
import { uuid } from "../../editor/uuid";
import type { Draft, Shelf, Word } from "../../offline/intents";
import { refusalOf, sayWord } from "../../offline/words";
import { call } from "../../ground/api";
import type { Context } from "../../ground/context";
import type { Comment, Reply } from "../../ground/contract";

const AGAIN_MS = 5000;
/** As long as the server lets one change one's own words. */
const EDITABLE_MS = 15 * 60_000;

export class Talk {
  readonly #comments = signal<readonly Comment[]>([]);
  readonly comments: ReadonlySignal<readonly Comment[]> = this.#comments;
  readonly #drafts = signal<readonly Draft[]>([]);
  readonly drafts: ReadonlySignal<readonly Draft[]> = this.#drafts;
  readonly #waiting = signal<readonly Word[]>([]);
  readonly waiting: ReadonlySignal<readonly Word[]> = this.#waiting;
  readonly #seen = signal<string | null>(null);
  readonly seen: ReadonlySignal<string | null> = this.#seen;
  readonly unread = computed(() =>
    this.comments.value.reduce((sum, c) => sum + [c, ...c.replies].filter((words) => this.isUnread(words)).length, 0),
  );
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sending: Promise<void> | null = null;

  /** `ready`: before what is kept may be read. */
  constructor(
    private readonly context: Pick<Context, "id" | "can" | "review" | "user" | "comments" | "comments_seen">,
    private readonly words: Shelf<"word">,
    private readonly keptDrafts: Shelf<"draft">,
    ready: Promise<void>,
  ) {
    this.#comments.value = context.comments;
    this.#seen.value = context.comments_seen ?? null;
    void ready.then(async () => {
      const drafts = context.can.comment && this.areDrafted ? await keptDrafts.kept() : [];
      const waiting = context.can.comment ? await words.kept() : [];
      if (drafts.length) this.#drafts.value = drafts.map(({ value }) => value);
      if (waiting.length) this.#waiting.value = waiting.map(({ value }) => value);
      if (waiting.length) this.#later(0);
    });
  }

  isUnread(words: { readonly author: string; readonly created_at: string }): boolean {
    return (
      words.author !== this.context.user &&
      (this.seen.value === null || Date.parse(words.created_at) > Date.parse(this.seen.value))
    );
  }

  /** Whether one's own words can still be changed; `later` are the replies after them. */
  canEdit(
    words: { readonly author: string; readonly created_at: string },
    later: readonly Reply[],
    now = Date.now(),
  ): boolean {
    return (
      this.context.can.comment &&
      words.author === this.context.user &&
      now - Date.parse(words.created_at) < EDITABLE_MS &&
      later.every((reply) => reply.author === this.context.user)
    );
  }

  /** Words wait for the verdict of the one who judges, and for the hand-in where no review has begun. */
  get areDrafted(): boolean {
    return this.context.can.return || this.context.review === null;
  }

  /** Whether there is something to return with: a draft, or words of this round that say what to change. */
  get saysWhatToChange(): boolean {
    const { review, user } = this.context;
    const said = this.comments.value.some(
      (c) =>
        c.round === review?.round &&
        c.state !== "resolved" &&
        (c.author !== review.author || c.replies.some((reply) => reply.author === user)),
    );
    return said || this.drafts.value.length > 0;
  }

  /** A comment on a voxel: at once where the author answers to a review, else with the return or the hand-in. */
  say(text: string, ijk: Ijk | null): void {
    if (!this.context.can.comment) return;
    if (!this.areDrafted) {
      this.#put({ id: uuid(), text, ijk, to: null, refused: null });
      return;
    }
    const draft = { id: uuid(), text, ijk };
    this.#drafts.value = [...this.drafts.value, draft];
    void this.keptDrafts.put({ [draft.id]: draft });
  }

  reply(to: string, text: string): void {
    void this.markSeen(); // who answers has read
    this.#put({ id: uuid(), text, ijk: null, to, refused: null });
  }

  dropDrafts(drafts: readonly Draft[]): void {
    const gone = new Set(drafts.map(({ id }) => id));
    this.#drafts.value = this.drafts.value.filter(({ id }) => !gone.has(id));
    void this.keptDrafts.remove(drafts.map(({ id }) => id));
  }

  /** Send words again that were refused, perhaps in other words, or let them go. */
  again(id: string, text?: string): void {
    const word = this.waiting.value.find((w) => w.id === id);
    if (word) this.#put({ ...word, text: text ?? word.text, refused: null });
  }

  drop(id: string): void {
    this.#waiting.value = this.waiting.value.filter((w) => w.id !== id);
    void this.words.remove([id]);
  }

  /** Replace a comment by what the server says of it. */
  take(comment: Comment): void {
    this.#comments.value = this.comments.value.map((c) => (c.id === comment.id ? comment : c));
  }

  takeReply(to: string, reply: Reply): void {
    this.#comments.value = this.comments.value.map((c) =>
      c.id !== to
        ? c
        : {
            ...c,
            replies: [...c.replies.filter((r) => r.id !== reply.id), reply].sort(
              (a, b) => Date.parse(a.created_at) - Date.parse(b.created_at),
            ),
          },
    );
  }

  /** Everything that is shown was read. */
  async markSeen(): Promise<void> {
    const { review } = this.context;
    if (!review || this.unread.value === 0) return;
    const times = this.comments.value.flatMap((c) => [c, ...c.replies].map((words) => words.created_at));
    const until = times.reduce((a, b) => (Date.parse(a) > Date.parse(b) ? a : b));
    // Only the server's count matters for later; a page that cannot reach it marks them read for itself.
    this.#seen.value = until;
    await call("POST", `/api/v1/reviews/${review.id}/comments/seen`, { until }).catch(() => undefined);
  }

  #put(word: Word): void {
    this.#keep(word);
    void this.#send();
  }

  #keep(word: Word): void {
    const at = this.waiting.value.findIndex(({ id }) => id === word.id);
    this.#waiting.value = at < 0 ? [...this.waiting.value, word] : this.waiting.value.with(at, word);
    void this.words.put({ [word.id]: word });
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#send(), ms);
  }

  #send(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
    });
    return this.#sending;
  }

  async #sendAll(): Promise<void> {
    for (let word = this.#first(); word; word = this.#first()) {
      try {
        const said = await sayWord(word, this.context.review?.id ?? null);
        if (word.to) this.takeReply(word.to, said);
        else this.#comments.value = [...this.comments.value.filter((c) => c.id !== said.id), said as Comment];
        this.drop(word.id);
      } catch (error) {
        const refused = refusalOf(error);
        if (refused === null) {
          this.#later(AGAIN_MS);
          return;
        }
        this.#keep({ ...word, refused });
      }
    }
  }

  #first(): Word | undefined {
    return this.waiting.value.find((w) => w.refused === null);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
