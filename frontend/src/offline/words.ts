/** Saying what waited: a comment or a reply goes to the server. Said twice under one id, it is one. */

import { call, Problem } from "../ground/api";
import type { Comment, Reply } from "../ground/contract";
import * as shape from "../ground/shapes";
import type { Intent, Intents, Word } from "./intents";

export function sayWord(word: Word, review: string | null): Promise<Comment | Reply> {
  const { id, text, ijk, to } = word;
  return to
    ? call("POST", `/api/v1/comments/${to}/replies`, { id, text }, shape.Reply)
    : call("POST", `/api/v1/reviews/${review}/comments`, { id, text, ijk }, shape.Comment);
}

/**
 * Why the server itself does not take words; null where there is no network or no session (or the token of another
 * one), and they wait.
 */
export function refusalOf(error: unknown): string | null {
  return !(error instanceof Problem) || error.signedOut || error.code === "permission_denied" || error.status >= 500
    ? null
    : error.message;
}

/** Says a comment or a reply. Answers it with the reason where the server does not take it; then it stays here. */
export async function sayKept(kept: Intents, word: Intent<"word">): Promise<Intent<"word"> | null> {
  if (word.value.refused) return word;
  try {
    await sayWord(word.value, word.review);
  } catch (error) {
    const refused = refusalOf(error);
    if (refused === null) throw error;
    const told = { ...word, value: { ...word.value, refused } };
    await kept.put([told]);
    return told;
  }
  await kept.drop([word]);
  return null;
}
