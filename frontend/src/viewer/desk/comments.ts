/** Going from comment to comment: its tab comes up, the crosshair goes where it is pinned, the focus to the words. */

import type { ScanSession } from "../scan/session";
import type { Work } from "../work/work";
import type { Attention } from "./attention";

export class ShownComment {
  /** Index of the comment that was shown last. */
  #last = -1;

  /** `turn` brings the tab of the comments up. */
  constructor(
    private readonly session: ScanSession,
    private readonly work: Work,
    private readonly attention: Attention,
    private readonly turn: () => void,
  ) {}

  show(n: number): void {
    const comment = this.work.comments.value[n];
    this.turn();
    this.#last = n;
    if (comment?.ijk) this.session.goTo(comment.ijk);
    if (comment) this.attention.bring(`comment-${comment.id}`);
  }

  /** The next comment that is open or was not read, round and round; where there is none, the next of all. */
  step(): void {
    const { talk, comments } = this.work;
    const all = comments.value.map((comment, n) => ({ comment, n }));
    const wanted = all.filter(
      ({ comment }) =>
        comment.state !== "resolved" || [comment, ...comment.replies].some((words) => talk.isUnread(words)),
    );
    const among = wanted.length ? wanted : all;
    const next = among.find(({ n }) => n > this.#last) ?? among[0];
    if (next) this.show(next.n);
    else this.turn();
  }

  /** The first of one's own words that the server did not take. */
  showRefused(): void {
    this.turn();
    const word = this.work.talk.waiting.value.find(({ refused }) => refused !== null);
    if (word) this.attention.bring(`word-${word.id}`);
  }
}
