/** Saying what waited: a comment or a reply goes to the server. Said twice under one id, it is one. */

import { call, Problem } from "../viewer/api";
import type { Comment, Reply } from "../viewer/context";
import type { Word } from "./intents";

export function sayWord(word: Word, review: string | null): Promise<Comment | Reply> {
  const { id, text, ijk, to } = word;
  return to
    ? call<Reply>("POST", `/api/v1/comments/${to}/replies`, { id, text })
    : call<Comment>("POST", `/api/v1/reviews/${review}/comments`, { id, text, ijk });
}

/** Why the server itself does not take words; null where there is no network or no session (or the token of another one), and they wait. */
export function refusalOf(error: unknown): string | null {
  return !(error instanceof Problem) || error.signedOut || error.code === "permission_denied" || error.status >= 500
    ? null
    : error.message;
}
