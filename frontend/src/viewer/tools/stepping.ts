/** The last stroke of the growing brush, a step more or a step less. */

import type { StepResult } from "../../editor/types";
import { msg, t } from "../../ground/language";
import { withKey } from "../../ground/shortcuts";
import { hu, ml, signed } from "../../ground/words";
import { refuses } from "../scan/editing";
import type { ScanSession } from "../scan/session";

const STAYS: Readonly<Record<Extract<StepResult, { kind: "stays" }>["why"], string>> = {
  "no-stroke": msg("There is no stroke of the growing brush to step: draw one, and nothing after it."),
  "no-more": msg("The stroke takes all that it can reach within its circle."),
  "no-less": msg("The stroke cannot take less."),
  over_ceiling: msg("The next step is over the voxel ceiling: a leak?"),
};

/** A key that is held does not pile steps up. */
let isBusy = false;

/** The lower bounds of the last stroke's dabs go to where the region next becomes larger (1) or smaller (−1). */
export async function stepStroke(session: ScanSession, by: 1 | -1): Promise<void> {
  if (refuses(session, true) || isBusy) return;
  isBusy = true;
  try {
    const result = await session.editor.stepStroke(by);
    if (result.kind === "stays") session.notices.say(t(STAYS[result.why]), "warn");
    else session.notices.say(...saidOf(result, session));
  } catch (error) {
    session.notices.say(t("The stroke was not stepped: {why}", { why: (error as Error).message }), "bad");
  } finally {
    isBusy = false;
  }
}

function saidOf(
  { added, removed, lowerHu, shiftHu, dabs, isLeap }: Extract<StepResult, { kind: "stepped" }>,
  { voxelMl, unit, valueUnit }: ScanSession,
): [words: string, tone: "info" | "warn"] {
  const net = added - removed;
  const amount = `${signed(net, ml(Math.abs(net) * voxelMl))} ${unit}`;
  if (dabs > 1) {
    const values = { amount, n: dabs, shift: `${signed(shiftHu, hu(Math.abs(shiftHu)))}${valueUnit}` };
    return isLeap
      ? [
          t("{amount} at once, bounds of {n} dabs {shift}: look whether it has run over into something else.", values),
          "warn",
        ]
      : [`${withKey(t("{amount}, bounds of {n} dabs {shift}. Undo goes a step back", values), "Ctrl+Z")}.`, "info"];
  }
  const values = { amount, bound: `${hu(lowerHu)}${valueUnit}` };
  return isLeap
    ? [t("{amount} at once, from {bound} on: look whether it has run over into something else.", values), "warn"]
    : [`${withKey(t("{amount}, from {bound} on. Undo goes a step back", values), "Ctrl+Z")}.`, "info"];
}
