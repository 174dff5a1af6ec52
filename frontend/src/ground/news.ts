/**
 * What was just done and can be taken back, told on the page that comes next: a verdict for ten seconds, a hand-in
 * until a reviewer has begun. It is done on the server already; only the way back is carried here.
 */

import { call, Problem } from "./api";
import { readKept, type Shape } from "./check";
import { t } from "./language";

export interface News {
  /** Whose it is: never shown to who logs in next. */
  readonly user: string;
  readonly kind: "handed-in" | "approved" | "returned";
  /** The scan's. */
  readonly code: string;
  /** `POST` here takes it back; then `page` has the work again. */
  readonly url: string;
  readonly page: string;
  /** ms since 1970; the server decides. */
  readonly until: number;
}

const KEY = "voxloop.news";
const SHAPE: Shape<News> = "user:s kind:=handed-in/approved/returned code url page:s until:n";
/** As long as a person needs to notice a wrong hand-in; the work list has it longer. */
export const HANDED_IN_MS = 20_000;

export function leaveNews(news: News): void {
  sessionStorage.setItem(KEY, JSON.stringify(news));
}

/** The news for this person that are still of use, once. */
export function takeNews(user: string): News | null {
  const kept = readKept(sessionStorage.getItem(KEY), SHAPE);
  sessionStorage.removeItem(KEY);
  return kept?.user === user && kept.until > Date.now() ? kept : null;
}

export function wordsOf({ kind, code }: News): string {
  if (kind === "handed-in") return t("{code} handed in", { code });
  return kind === "approved" ? t("{code} approved and signed", { code }) : t("{code} returned", { code });
}

/** What the button that takes it back says. */
export const undoWordsOf = ({ kind }: News): string => (kind === "handed-in" ? t("Take back") : t("Undo"));

/** Takes it back and goes to the work; throws `Problem` when the server refuses. */
export async function takeBack(news: News): Promise<void> {
  try {
    await call("POST", news.url);
  } catch (error) {
    // Refused: no other page offers it again.
    if (error instanceof Problem && !error.signedOut) sessionStorage.removeItem(KEY);
    throw error;
  }
  sessionStorage.removeItem(KEY);
  location.assign(news.page);
}
