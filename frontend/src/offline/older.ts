/** Whether an older version kept something in `localStorage`; what moves it is fetched only then. */

import type { Intents, Of } from "./intents";

const KEYS = /^voxloop\.(answers|talk|drafts|checked|intents)[.:]/;

/** As `moving.ts`. Where its script cannot be had, everything stays where it is until the next visit. */
export async function moveOld(intents: Intents, here: Of | null): Promise<void> {
  if (!Object.keys(localStorage).some((key) => KEYS.test(key))) return;
  const moving = await import("./moving").catch(() => null);
  await moving?.moveOld(intents, here);
}
