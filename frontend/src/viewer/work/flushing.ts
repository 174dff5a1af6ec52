/** Waiting until the server has every stroke. */

import type { ScanSession } from "../scan/session";

/** Resolves when the server has all; rejects with `TypeError` as soon as it is plain that there is no network. */
export async function flushed({ editor, save }: Pick<ScanSession, "editor" | "save">): Promise<void> {
  let stop: (() => void) | undefined;
  const offline = new Promise<never>((_, reject) => {
    stop = save.subscribe((state) => {
      if (state.kind === "offline" && state.reason !== "no_space") reject(new TypeError("offline"));
    });
  });
  await Promise.race([editor.flush(), offline]).finally(() => stop?.());
}
