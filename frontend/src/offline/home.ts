/** Back on the network: strokes, answers and hand-ins that wait in this browser go to the server, scan by scan. */

import { EditorClient } from "../editor/client";
import { type About, Journal, journalOf } from "../editor/journal";
import { answersKey } from "../viewer/answers";
import { call, csrfHeaders, Problem } from "../viewer/api";
import { t } from "../viewer/language";
import { intentsOf, keepIntent, type Intent } from "./intents";

/** What waits of one scan. */
export interface Waiting { readonly assignment: string; readonly code: string; readonly lines: readonly { about: About; strokes: number; at: number }[]; readonly intent: Intent | null }

/** How it went with one scan; `left` says in words what stays here and why. */
export interface Homecoming { readonly scan: Waiting; readonly left: string | null; readonly submitted: boolean; /** Only the network is missing. */ readonly waits: boolean }

/** What waits in this browser for one person, by scan. Empty where the browser keeps nothing. */
export async function waitingOf(user: string): Promise<Waiting[]> {
  const lines = await Journal.unsent(journalOf(user)).catch(() => []);
  const intents = intentsOf(user);
  const ids = new Set([...lines.flatMap(({ state }) => (state.about ? [state.about.assignment] : [])), ...Object.keys(intents)]);
  return [...ids].map((assignment) => {
    const own = lines.flatMap(({ state, strokes }) => (state.about?.assignment === assignment ? [{ about: state.about, strokes, at: state.at ?? 0 }] : []));
    return { assignment, code: own[0]?.about.scan ?? intents[assignment]?.code ?? "", lines: own, intent: intents[assignment] ?? null };
  });
}

/** An editor without a page on a line of work. `close` it. */
async function editorOn(user: string, about: About): Promise<EditorClient> {
  return EditorClient.create({
    volume: { shapeZyx: about.shapeZyx, spacingMmZyx: about.spacingMmZyx, backgroundHu: null }, user, scan: about.scan, lpsFromIjk: about.lpsFromIjk,
    assignment: about.assignment, layer: about.layer, maskUrl: about.maskUrl, headers: csrfHeaders(), editable: true,
  });
}

/** Sends one scan: strokes, then answers, then the hand-in. Never throws. */
export async function bringHome(user: string, scan: Waiting): Promise<Homecoming> {
  const { assignment, code, lines, intent } = scan;
  let submitted = false;
  try {
    for (const { about } of lines) await sendLine(user, about);
    if (intent?.answers) {
      await call("PUT", `/api/v1/assignments/${assignment}/answers`, { values: intent.answers });
      keepIntent(user, { assignment, code, answers: undefined });
      localStorage.removeItem(answersKey(user, assignment));
    }
    if (intent?.submit) {
      await call("POST", `/api/v1/assignments/${assignment}/submit`, { ...(intent.answers ? { answers: intent.answers } : {}), acknowledged: intent.submit.acknowledged });
      keepIntent(user, { assignment, code, submit: undefined });
      submitted = true;
    }
    return { scan, left: null, submitted, waits: false };
  } catch (error) {
    return { scan, left: wordsFor(error, user, scan), submitted, waits: error instanceof TypeError };
  }
}

async function sendLine(user: string, about: About): Promise<void> {
  const editor = await editorOn(user, about);
  try {
    const offline = new Promise<never>((_, reject) => editor.on("save-state", (state) => { if (state.kind === "offline" && state.reason === "network") reject(new TypeError("offline")); }));
    offline.catch(() => undefined);
    const opened = await editor.open();
    if (opened.save.kind === "read-only") throw new Error(opened.save.reason);
    await Promise.race([editor.flush(), offline]);
  } finally {
    await editor.close();
  }
}

/** What hinders it, as a sentence; an interlock takes the hand-in back, so that it is decided on the page. */
function wordsFor(error: unknown, user: string, { assignment, code }: Waiting): string {
  if (error instanceof Problem) {
    if (error.code === "interlocks") {
      keepIntent(user, { assignment, code, submit: undefined });
      const found = (error.body["interlocks"] as { message: string }[] | undefined) ?? [];
      return t("Not handed in: {why}", { why: found.map((one) => one.message).join(" ") });
    }
    // Handed in already, or no longer this person's: there is nothing left to wait for.
    if (error.status === 404 || error.status === 409) keepIntent(user, { assignment, code, submit: undefined, answers: undefined });
    return error.message;
  }
  const why = error instanceof Error ? error.message : String(error);
  const words: Readonly<Record<string, string>> = {
    "lease-lost": t("This scan is no longer yours; download the mask to hand it over."), "not-editable": t("This scan can no longer be changed; download the mask to hand it over."),
    "other-tab": t("It is open in another tab, which sends it."), conflict: t("It was changed elsewhere too; open it to decide."), "signed-out": t("You are logged out; log in again."),
  };
  return words[why] ?? (error instanceof TypeError ? t("The server cannot be reached; everything is kept here.") : why);
}

/** The mask of a line as it is here, sent or not, as `.nii.gz`. */
export async function maskFile(user: string, about: About): Promise<Uint8Array> {
  const editor = await editorOn(user, about);
  try {
    await editor.open();
    return await editor.exportNifti();
  } finally {
    await editor.close();
  }
}

/** Gives up what waits of one scan. */
export async function discard(user: string, scan: Waiting): Promise<void> {
  for (const { about } of scan.lines) {
    const journal = await Journal.open(`${about.assignment}/${about.layer}`, journalOf(user));
    await journal.forget();
    journal.close();
  }
  keepIntent(user, { assignment: scan.assignment, code: scan.code, answers: undefined, submit: undefined });
  localStorage.removeItem(answersKey(user, scan.assignment));
}

/**
 * Sends everything that waits, one scan after the other; `tell` hears of each before and after. One tab at a time does
 * it. `except` is the scan on the page, which sends its own.
 */
export async function bringAllHome(user: string, except: string | null, tell: (scan: Waiting, done: Homecoming | null) => void): Promise<void> {
  const run = async (): Promise<void> => {
    for (const scan of await waitingOf(user)) {
      if (scan.assignment === except) continue;
      tell(scan, null);
      tell(scan, await bringHome(user, scan));
    }
  };
  if (!("locks" in navigator)) return run();
  await navigator.locks.request("voxloop:home", { ifAvailable: true }, async (lock) => { if (lock) await run(); });
}

/** How many strokes wait, and whether answers or a hand-in do, in words. */
export function waitingWords({ lines, intent }: Waiting): string {
  const strokes = lines.reduce((sum, line) => sum + line.strokes, 0);
  const words = [strokes === 1 ? t("1 stroke") : strokes ? t("{n} strokes", { n: strokes }) : "", intent?.answers ? t("answers") : "", intent?.submit ? t("to be handed in") : ""];
  return words.filter(Boolean).join(", ");
}
