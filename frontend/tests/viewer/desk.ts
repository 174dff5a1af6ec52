/** A desk for tests of the commands. */

import type { Desk } from "../../src/viewer/desk/desk";

/** As much of a desk as the list of commands reads when it is made. */
export const DESK = {
  session: {
    segments: [1, 2, 3].map((id) => ({ id, name: `Segment ${id}` })),
    context: { can: {}, overlays: [], scan: { modality: "CT", shape_zyx: [9, 9, 9] } },
  },
  work: {},
} as unknown as Desk;
