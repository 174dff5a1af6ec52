/** Dialogs that wait for the person, and why something did not work, in words. */

import type { Ijk } from "../../editor/types";
import { Away, checked, Problem } from "../../ground/api";
import { listOf } from "../../ground/check";
import type { Interlock } from "../../ground/context";
import { t } from "../../ground/language";
import type { News } from "../../ground/news";
import * as shape from "../../ground/shapes";

export type Verdict = "approve" | "correct" | "return";

/** A dialog that waits for the person; null when none. */
export type Asking =
  | { readonly kind: "skip" | "block" }
  /** `asks`: the password is needed; `wrong`: the one that was given is not right. */
  | {
      readonly kind: "signature";
      readonly verdict: "approve" | "correct";
      readonly asks: boolean;
      readonly wrong: boolean;
    }
  | { readonly kind: "interlocks"; readonly found: readonly Interlock[] }
  | { readonly kind: "comment"; readonly ijk: Ijk }
  | { readonly kind: "log-in" | "offline" }
  /** Handing in waits for the network. */
  | { readonly kind: "kept"; readonly next: string | null }
  /** `why`: what the server said when it was to be taken back. */
  | { readonly kind: "done"; readonly text: string; readonly news: News | null; readonly why?: string };

/** What speaks against handing in, as the server names it. Throws `Problem` where that is not understood. */
export const interlocksOf = (problem: Problem): readonly Interlock[] =>
  checked(problem.body["interlocks"] ?? [], listOf(shape.Interlock), "interlocks");

/** Why a call to the server did not work. */
export function whyFailed(error: unknown): string {
  if (error instanceof Problem) return error.message;
  if (error instanceof Away) return t("The server cannot do it just now; nothing is lost. Try again in a moment.");
  if (error instanceof TypeError) return t("The server cannot be reached; nothing is lost.");
  return error instanceof Error ? error.message : String(error);
}
