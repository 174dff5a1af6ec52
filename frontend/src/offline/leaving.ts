/**
 * Logging out on a computer that others use: the browser keeps nothing of the scans. What the server does not have yet
 * stays, sealed for the one whose it is, or goes, as that person says. We clear by ourselves; the server's
 * `Clear-Site-Data` comes after and is not heard over plain http.
 */

import { Journal, journalOf } from "../editor/journal";
import { intentsOf } from "./intents";
import { wipe, wipeShelves } from "./registry";

const OURS = "voxloop";
/** Unsent work lies in these; of other people's it is sealed, and theirs. */
const WORK = ["voxloop-editor:", "voxloop-intents:"];

/** Answers whether nothing of ours is left, so that the server may ask the browser to clear everything. */
export async function leaveNothing(user: string, keepsUnsent: boolean): Promise<boolean> {
  await wipe();
  await wipeShelves(undefined);
  for (const key of Object.keys(localStorage)) if (key.startsWith(OURS)) localStorage.removeItem(key);
  sessionStorage.clear();
  if (!keepsUnsent) await Journal.forgetAll(journalOf(user));
  const hasStrokes = await Journal.forgetSent(journalOf(user));
  const intents = intentsOf(user);
  if (!keepsUnsent) await intents.clear();
  const hasWords = (await intents.list()).length > 0;
  const others = ((await indexedDB.databases?.()) ?? []).some(({ name }) =>
    WORK.some((kind) => name?.startsWith(kind) && name !== kind + user),
  );
  return !hasStrokes && !hasWords && !others;
}
