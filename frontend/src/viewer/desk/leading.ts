/** Where one begins: on the page that has just been opened, the crosshair goes where something is to be done. */

import { effect } from "@preact/signals";
import type { ScanSession } from "../scan/session";
import type { Review } from "../work/review";
import type { Talk } from "../work/talk";

export interface Leading {
  readonly session: ScanSession;
  readonly review: Review;
  readonly talk: Talk;
  turnTo(tab: "review" | "comments"): void;
}

/**
 * A judge, and an author who was corrected, begin at the largest difference, else the largest lesion; whose work came
 * back at the first open comment that is pinned to a place; everybody else at the first lesion of a mask that is there.
 */
export function lead(desk: Leading): void {
  if (desk.session.context.can.approve || desk.review.isCorrection) leadJudge(desk);
  else leadAuthor(desk);
}

function leadJudge(desk: Leading): void {
  const { session, review } = desk;
  desk.turnTo("review");
  const stop = effect(() => {
    const [difference] = review.differences.value,
      [lesion] = session.lesions.value;
    // What a reviewer changed is shown as added and taken away, too; and what was taken away only so can be seen.
    if (difference && (review.isCorrection || difference.kind === "removed")) review.show(0);
    else if (difference) {
      session.goTo(difference.ijk);
      review.choose(0);
    } else if (lesion && (review.isCounted.value || session.context.overlays.length === 0)) session.goTo(lesion.ijk);
    else return;
    queueMicrotask(() => stop());
  });
}

function leadAuthor(desk: Leading): void {
  const { session, talk } = desk;
  const pinned = talk.comments.peek().find(({ state, ijk }) => state !== "resolved" && ijk !== null);
  const uncounted = session.lesions.peek();
  if (pinned && session.context.can.edit) desk.turnTo("comments");
  const stop = effect(() => {
    const lesions = session.lesions.value;
    if (session.phase.value === "opening") return;
    // Whoever has gone somewhere by now stays there; a scan that could not be opened leads nowhere.
    if (session.phase.value === "failed" || !isAtStart(session)) queueMicrotask(() => stop());
    else if (pinned?.ijk) session.goTo(pinned.ijk);
    else if (lesions === uncounted) return;
    else if (lesions[0]) session.goTo(lesions[0].ijk);
    queueMicrotask(() => stop());
  });
}

/** The crosshair stands where the page put it. */
function isAtStart({ geometry, cross }: ScanSession): boolean {
  const [i, j, k] = cross.peek();
  const [depth, rows, columns] = geometry.shapeZyx;
  return i === columns >> 1 && j === rows >> 1 && k === depth >> 1;
}
