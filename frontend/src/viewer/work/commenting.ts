/** Changing what was said: a comment is resolved or reopened, one's own words are mended. */

import { call } from "../../ground/api";
import type { Comment, Reply } from "../../ground/contract";
import * as shape from "../../ground/shapes";
import { t } from "../../ground/language";
import type { Talk } from "./talk";

export class Commenting {
  /** `say` names what is under way, and says why it did not work. */
  constructor(
    private readonly talk: Talk,
    private readonly say: (words: string, action: () => Promise<void>) => Promise<void>,
  ) {}

  async setResolved(comment: Comment, resolved: boolean): Promise<void> {
    await this.say(resolved ? t("Resolving") : t("Reopening"), async () => {
      const url = `/api/v1/comments/${comment.id}/${resolved ? "resolve" : "reopen"}`;
      this.talk.take(await call("POST", url, undefined, shape.Comment));
    });
  }

  /** Change one's own comment, or a reply of one's own to it. Answers whether the server took it. */
  async edit(comment: Comment, reply: Reply | null, text: string): Promise<boolean> {
    let taken = false;
    await this.say(t("Changing the comment"), async () => {
      if (reply)
        this.talk.takeReply(comment.id, await call("PATCH", `/api/v1/replies/${reply.id}/`, { text }, shape.Reply));
      else this.talk.take(await call("PATCH", `/api/v1/comments/${comment.id}/`, { text }, shape.Comment));
      taken = true;
    });
    return taken;
  }

  removeDraft(index: number): void {
    this.talk.dropDrafts(this.talk.drafts.value.slice(index, index + 1));
  }
}
