/** Reports of what a person did at a scan: when they were active, what they saw. Reported twice it counts once. */

import { call, Problem } from "../ground/api";
import type { BeatRequest } from "../ground/contract";
import { isOf, type Activity, type Intent, type Intents } from "./intents";

/** The server takes so many periods at once. */
const MOST = 200;

/** As the server reads it: in seconds before now, which holds on any clock. */
export function reportOf({ periods, slices, lesions }: Activity, now = Date.now()): BeatRequest {
  const ago = (at: number) => Math.max(0, (now - at) / 1000);
  return {
    periods: periods.slice(-MOST).map(([from, to]) => [ago(from), ago(to)]),
    ...(slices === undefined ? {} : { slices }),
    ...(lesions === undefined ? {} : { lesions: [...lesions] }),
  };
}

/** Sends what waits of one scan. What the server does not take is of work that has ended: it waits no more. */
export async function sendActivity(kept: Intents, assignment: string, waiting: readonly Intent[]): Promise<void> {
  for (const one of waiting.filter(isOf("activity"))) {
    try {
      await call("POST", `/api/v1/assignments/${assignment}/beat`, reportOf(one.value));
    } catch (error) {
      if (!(error instanceof Problem) || error.signedOut || error.status >= 500) throw error;
    }
    await kept.drop([one]);
  }
}
