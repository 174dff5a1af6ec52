/** The hold on a scan has ended, and nobody has taken it meanwhile: it is opened anew, and what was drawn goes in. */

import { call, Problem } from "../ground/api";
import * as shape from "../ground/shapes";

/** Opens the scan again. Answers whether it can be drawn on now, null where no answer came; never throws. */
export async function opensAgain(assignment: string): Promise<boolean | null> {
  try {
    const { can } = await call("POST", `/api/v1/assignments/${assignment}/open`, undefined, shape.Context);
    return can.edit;
  } catch (error) {
    return error instanceof Problem && !error.signedOut ? false : null;
  }
}
