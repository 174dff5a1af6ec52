/** A hold that ran out while nothing was saved (a computer that slept): the scan is opened again by itself. */

import type { ScanSession } from "../scan/session";

/** Opens the scan anew when its hold is lost, at most once between two saves; where it is free, saving goes on. */
export function openAgainWhenLost(session: ScanSession): void {
  let mayOpen = true;
  session.save.subscribe((state) => {
    if (state.kind === "saved") mayOpen = true;
    if (state.kind !== "read-only" || state.reason !== "lease-lost" || !mayOpen) return;
    mayOpen = false;
    void import("../../offline/reopening").then(async ({ opensAgain }) => {
      if (await opensAgain(session.context.id)) await session.editor.resume(null);
    });
  });
}
