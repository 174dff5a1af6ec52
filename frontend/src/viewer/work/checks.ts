/** What must be right before work is handed in, recomputed while one draws. The server checks again on submit. */

import type { Context, Jump } from "../../ground/context";
import type { Question } from "../../ground/contract";
import type { Ijk, SaveState } from "../../editor/types";
import { t, tn } from "../../ground/language";
import { withKey } from "../../ground/shortcuts";
import type { Unit } from "../../ground/amount";
import { shownQuestions } from "./questions";
import { ml } from "../../ground/words";

const MOST_OUTSIDE_LUNG_ML = 1;

export interface Check {
  readonly code: string;
  readonly ok: boolean;
  readonly text: string;
  /** Hinders submitting; others are only to be seen. */
  readonly blocking: boolean;
  readonly jump: Jump;
}

/** Why a page that only looks cannot hand in, in words: another tab may hold strokes that the server does not have. */
export function whyNoSubmit(save: SaveState): string | null {
  if (save.kind !== "read-only") return null;
  switch (save.reason) {
    case "other-tab":
    case "taken-over":
      return t("This scan is drawn on in another tab: submit it there");
    case "lease-lost":
      return t("This scan is no longer yours");
    default:
      return null;
  }
}

/**
 * Why nobody hands in or approves this scan, in words: slices that nobody can have seen. Numbers as the reader counts
 * them.
 */
export function whyDamaged(lost: readonly number[]): string | null {
  if (!lost.length) return null;
  const shown =
    lost
      .slice(0, 12)
      .map((z) => z + 1)
      .join(", ") + (lost.length > 12 ? ", …" : "");
  return tn(
    lost.length,
    "Slice {slices} is damaged and not shown: this scan cannot be submitted or approved. Tell an administrator;" +
      " then reload.",
    "Slices {slices} are damaged and not shown: this scan cannot be submitted or approved. Tell an " +
      "administrator; then reload.",
    { slices: shown },
  );
}

/** Comments that count before handing in. */
export interface CommentFacts {
  /** Of a returned round, not resolved. */
  readonly open: number;
  /** One's own that the server did not take. */
  readonly refused: number;
}

export interface MaskFacts {
  /** Of the figures below: mL, or cm² of an X-ray. */
  readonly unit: Unit;
  readonly infectiousMl: number;
  readonly totalMl: number;
  /** null: the scan has no lung limit, or it has not come yet. */
  readonly outsideMl: number | null;
  readonly firstOutside: Ijk | null;
}

/** What of the scan was looked at. */
export interface SeenFacts {
  /** 0 to 1 of the axial slices. */
  readonly share: number;
  readonly visited: number;
  readonly lesions: number;
  readonly isEnough: boolean;
  readonly blocks: boolean;
  /** The middle of the first slice that was not seen. */
  readonly next: Ijk | null;
}

/** "Slices seen 12 %, no lesion visited". */
export function seenWords({ share, visited, lesions }: SeenFacts): string {
  const percent = Math.floor(share * 100);
  if (!lesions) return t("Slices seen {percent} %", { percent });
  if (!visited) return t("Slices seen {percent} %, no lesion visited", { percent });
  return t("Slices seen {percent} %, {visited} of {lesions} lesions visited", { percent, visited, lesions });
}

function seenCheck(seen: SeenFacts): Check {
  const jump = seen.next && !seen.isEnough ? { ijk: seen.next } : {};
  return { code: "not_seen", ok: seen.isEnough, blocking: seen.blocks, text: seenWords(seen), jump };
}

/** Lesions that the model proposed. */
export interface ProposedFacts {
  readonly all: number;
  /** Neither accepted, changed nor dropped. */
  readonly left: number;
  readonly blocks: boolean;
}

function proposedCheck({ all, left, blocks }: ProposedFacts): Check {
  const words = tn(left, "{n} lesion by the model is undecided", "{n} lesions by the model are undecided");
  const text = left
    ? withKey(words, "Alt+W")
    : tn(all, "{n} lesion by the model is decided", "All {n} lesions by the model are decided");
  return { code: "lesions_undecided", ok: left === 0, blocking: blocks, text, jump: left ? { proposed: true } : {} };
}

/** The checks of annotation/reviews/interlocks.py, with what is right among them. */
export function checkWork(
  schema: Context["schema"],
  answers: Readonly<Record<string, unknown>>,
  mask: MaskFacts,
  comments: CommentFacts,
  seen: SeenFacts | null = null,
  proposed: ProposedFacts | null = null,
): Check[] {
  const checks: Check[] = seen ? [seenCheck(seen)] : [];
  if (proposed?.all) checks.push(proposedCheck(proposed));
  if (mask.outsideMl !== null) {
    const out = mask.outsideMl > MOST_OUTSIDE_LUNG_ML;
    checks.push({
      code: "mask_outside_lung",
      ok: !out,
      blocking: false,
      jump: mask.firstOutside ? { ijk: mask.firstOutside } : {},
      text: out ? t("{ml} mL lie outside the lungs", { ml: ml(mask.outsideMl) }) : t("Mask lies inside the lungs"),
    });
  }
  const asked = shownQuestions(schema.questions, answers);
  checks.push(agreement(asked, answers, mask));
  const missing = asked.filter((q) => q.required && !(q.key in answers));
  const [first] = missing;
  checks.push({
    code: "question_unanswered",
    ok: missing.length === 0,
    blocking: true,
    jump: first ? { question: first.key } : {},
    text: first
      ? tn(missing.length, "“{question}” has no answer", "{n} questions have no answer", { question: first.text })
      : t("Required questions answered"),
  });
  const { open, refused } = comments;
  if (open)
    checks.push({
      code: "open_comments",
      ok: false,
      blocking: false,
      jump: { comments: true },
      text: tn(open, "{n} open comment", "{n} open comments"),
    });
  if (refused) {
    checks.push({
      code: "refused_comments",
      ok: false,
      blocking: false,
      jump: { refused: true },
      text: tn(
        refused,
        "{n} comment of yours was refused and only this browser has it",
        "{n} comments of yours were refused and only this browser has them",
      ),
    });
  }
  return checks;
}

function agreement(questions: readonly Question[], answers: Readonly<Record<string, unknown>>, mask: MaskFacts): Check {
  const bad = (code: string, text: string, jump: Check["jump"]): Check => ({
    code,
    ok: false,
    blocking: true,
    text,
    jump,
  });
  for (const question of questions) {
    const option = question.options.find((o) => o.value === answers[question.key]);
    if (option?.means === "no_infection" && mask.infectiousMl > 0) {
      return bad(
        "no_signs_with_mask",
        t("“{answer}”, but {amount} {unit} are marked as infectious", {
          answer: option.label,
          amount: ml(mask.infectiousMl),
          unit: mask.unit,
        }),
        { question: question.key },
      );
    }
    if (option?.means === "infection" && mask.infectiousMl === 0) {
      return bad(
        "finding_without_mask",
        t("“{answer}”, but nothing is marked as infectious", { answer: option.label }),
        { question: question.key },
      );
    }
  }
  const confirmed = answers["confirmed_empty"] === true;
  if (confirmed && mask.totalMl > 0)
    return bad(
      "confirmed_empty_with_mask",
      t("Confirmed as empty, but {amount} {unit} are marked", { amount: ml(mask.totalMl), unit: mask.unit }),
      { question: "confirmed_empty" },
    );
  if (!confirmed && mask.totalMl === 0 && questions.some((q) => q.key === "confirmed_empty")) {
    return bad("empty_not_confirmed", t("Nothing is marked: confirm that the scan is empty"), {
      question: "confirmed_empty",
    });
  }
  return { code: "findings_agree", ok: true, blocking: true, text: t("Findings and mask agree"), jump: {} };
}
