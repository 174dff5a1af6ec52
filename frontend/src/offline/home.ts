/** Back on the network: strokes, answers and hand-ins that wait in this browser go to the server, scan by scan. */

import { type EditorClient, openEditor } from "../editor/client";
import type { About } from "../editor/keeper";
import { Journal, journalOf } from "../editor/journal";
import { call, csrfHeaders, NOT_UNDERSTOOD, Problem } from "../ground/api";
import { fits, type Shape } from "../ground/check";
import { t, tn } from "../ground/language";
import { sendActivity } from "./activity";
import { intent, intentsOf, isOf, type Intent } from "./intents";
import { personKey } from "../ground/personal";
import { personVault } from "./vault";
import { moveOld } from "./older";
import { opensAgain } from "./reopening";
import { sayKept } from "./words";

/** What speaks against handing in, as far as it is told here. */
const MESSAGES: Shape<readonly { readonly message: string }[]> = "[message:s";

/** What waits of one scan. */
export interface Waiting {
  readonly assignment: string;
  readonly code: string;
  readonly lines: readonly { about: About; strokes: number; at: number }[];
  readonly intents: readonly Intent[];
}

/** How it went with one scan; `left` says in words what stays here and why. */
export interface Homecoming {
  readonly scan: Waiting;
  readonly left: string | null;
  readonly submitted: boolean;
  /** Only the network is missing. */
  readonly waits: boolean;
  /** The hold on the scan has ended. */
  readonly lost: boolean;
  /** What was said and the server does not take. It is mended or let go before the scan is handed in. */
  readonly refused: readonly Intent<"word">[];
}

/** What waits in this browser for one person, by scan. Empty where the browser keeps nothing. */
export async function waitingOf(user: string): Promise<Waiting[]> {
  const lines = await Journal.unsent(journalOf(user), await personVault()).catch(() => []);
  const shelf = intentsOf(user);
  await moveOld(shelf, null);
  // Drafts go with the verdict of who wrote them, from the page.
  const intents = (await shelf.list()).filter(({ kind }) => kind !== "draft");
  const ids = new Set([
    ...lines.flatMap(({ state }) => (state.about ? [state.about.assignment] : [])),
    ...intents.map(({ assignment }) => assignment),
  ]);
  return [...ids].map((assignment) => {
    const own = lines.flatMap(({ state, strokes }) =>
      state.about?.assignment === assignment ? [{ about: state.about, strokes, at: state.at ?? 0 }] : [],
    );
    const said = intents.filter((one) => one.assignment === assignment);
    return {
      assignment,
      code: own[0]?.about.scan ?? said.find(({ code }) => code)?.code ?? "",
      lines: own,
      intents: said,
    };
  });
}

/** An editor without a page on a line of work. `close` it. */
async function editorOn(user: string, about: About): Promise<EditorClient> {
  return openEditor({
    volume: { shapeZyx: about.shapeZyx, spacingMmZyx: about.spacingMmZyx, backgroundHu: null },
    user,
    key: personKey(),
    scan: about.scan,
    lpsFromIjk: about.lpsFromIjk,
    assignment: about.assignment,
    layer: about.layer,
    maskUrl: about.maskUrl,
    headers: csrfHeaders(),
    editable: true,
  });
}

/**
 * Sends one scan: strokes, then answers, words and what was checked, then the hand-in. A scan whose hold has ended and
 * that is still free is opened anew for it. Never throws.
 */
export async function bringHome(user: string, scan: Waiting): Promise<Homecoming> {
  const done = await sendScan(user, scan);
  if (!done.lost) return done;
  const isOpen = await opensAgain(scan.assignment);
  if (isOpen) return sendScan(user, scan);
  // Handed in already, or somebody else's: the wish to hand it in is of no use. Without an answer it is kept.
  if (isOpen === false) await intentsOf(user).drop(scan.intents.filter(isOf("submit")));
  return done;
}

async function sendScan(user: string, scan: Waiting): Promise<Homecoming> {
  const { assignment, lines, intents } = scan;
  const kept = intentsOf(user);
  let submitted = false;
  try {
    for (const { about } of lines) await sendLine(user, about);
    const answers = intents.filter(isOf("answer"));
    if (answers.length) {
      await call("PATCH", `/api/v1/assignments/${assignment}/answers`, { values: valuesOf(answers) });
      await kept.drop(answers);
    }
    const marks = intents.filter(isOf("mark"));
    if (marks.length) {
      await call("PATCH", `/api/v1/assignments/${assignment}/marks`, { values: valuesOf(marks) });
      await kept.drop(marks);
    }
    await sendActivity(kept, assignment, intents);
    const refused: Intent<"word">[] = [];
    for (const word of intents.filter(isOf("word"))) {
      const left = await sayKept(kept, word);
      if (left) refused.push(left);
    }
    const checks = intents.filter(isOf("check"));
    const [check] = checks;
    if (check) {
      await call("PATCH", `/api/v1/reviews/${check.review}/checks`, { values: valuesOf(checks) });
      await kept.drop(checks);
    }
    if (refused.length)
      return {
        scan,
        left: refusedWords(refused.length, intents.some(isOf("submit"))),
        submitted,
        waits: false,
        lost: false,
        refused,
      };
    for (const wish of intents.filter(isOf("submit"))) {
      const { acknowledged, comments = [] } = wish.value;
      await call("POST", `/api/v1/assignments/${assignment}/submit`, { acknowledged, comments });
      const asked = (await kept.list()).filter((one) => one.assignment === assignment && one.kind === "draft");
      await kept.drop([wish, ...asked]);
      submitted = true;
    }
    return { scan, left: null, submitted, waits: false, lost: false, refused: [] };
  } catch (error) {
    const left = await wordsFor(error, user, scan);
    return { scan, left, submitted, waits: error instanceof TypeError, lost: isLost(error), refused: [] };
  }
}

const isLost = (error: unknown): boolean =>
  error instanceof Problem
    ? error.code === "lease_lost" || error.code === "not_editable"
    : error instanceof Error && (error.message === "lease-lost" || error.message === "not-editable");

const refusedWords = (count: number, isHeld: boolean): string =>
  [
    tn(
      count,
      "The server does not take {n} comment: change or drop it.",
      "The server does not take {n} comments: change or drop them.",
    ),
    isHeld ? t("Then the scan is handed in.") : "",
  ]
    .filter(Boolean)
    .join(" ");

/** Words in other words, to be sent anew; null lets them go. */
export async function mendWord(user: string, word: Intent<"word">, text: string | null): Promise<void> {
  if (text === null) await intentsOf(user).drop([word]);
  else await intentsOf(user).put([intent(word, "word", word.name, { ...word.value, text, refused: null })]);
}

const valuesOf = (intents: readonly Intent[]): Record<string, unknown> =>
  Object.fromEntries(intents.map(({ name, value }) => [name, value]));

/** The server's own words for not now; a full disk and a slow answer are waited for. */
const AWAY: ReadonlySet<string> = new Set([
  "database_away",
  "busy",
  "too_many_requests",
  "http_429",
  "http_502",
  "http_503",
  "http_504",
]);

async function sendLine(user: string, about: About): Promise<void> {
  const editor = await editorOn(user, about);
  try {
    const offline = new Promise<never>((_, reject) =>
      editor.on("save-state", (state) => {
        if (state.kind === "offline" && (state.reason === "network" || AWAY.has(state.reason)))
          reject(new TypeError("offline"));
        else if (state.kind === "offline" && state.reason === NOT_UNDERSTOOD) reject(new Error(NOT_UNDERSTOOD));
      }),
    );
    offline.catch(() => undefined);
    const opened = await editor.open();
    if (opened.save.kind === "read-only") throw new Error(opened.save.reason);
    await Promise.race([editor.flush(), offline]);
  } finally {
    await editor.close();
  }
}

/**
 * What hinders it, as a sentence; a refused hand-in is taken back, so that it is decided on the page. What was said
 * stays.
 */
async function wordsFor(error: unknown, user: string, { intents }: Waiting): Promise<string> {
  if (error instanceof Problem) {
    // An interlock; or handed in already, or no longer this person's.
    if (!isLost(error) && (error.status === 404 || error.status === 409))
      await intentsOf(user).drop(intents.filter(isOf("submit")));
    if (error.code !== "interlocks") return error.message;
    const found = error.body["interlocks"];
    const why = fits(found, MESSAGES) ? found.map((one) => one.message).join(" ") : error.message;
    return t("Not handed in: {why}", { why });
  }
  const why = error instanceof Error ? error.message : String(error);
  const words: Readonly<Record<string, string>> = {
    "lease-lost": t("This scan is no longer yours; download the mask to hand it over."),
    "not-editable": t("This scan can no longer be changed; download the mask to hand it over."),
    "other-tab": t("It is open in another tab, which sends it."),
    conflict: t("It was changed elsewhere too; open it to decide."),
    "signed-out": t("You are logged out; log in again."),
    [NOT_UNDERSTOOD]: t("The server is of another version than this page; reload the page."),
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
  await intentsOf(user).drop(scan.intents);
}

/**
 * Sends everything that waits, one scan after the other; `tell` hears of each before and after. One tab at a time does
 * it. `except` is the scan on the page, which sends its own.
 */
export async function bringAllHome(
  user: string,
  except: string | null,
  tell: (scan: Waiting, done: Homecoming | null) => void,
): Promise<void> {
  const run = async (): Promise<void> => {
    for (const scan of await waitingOf(user)) {
      if (scan.assignment === except) continue;
      tell(scan, null);
      tell(scan, await bringHome(user, scan));
    }
  };
  if (!("locks" in navigator)) return run();
  await navigator.locks.request("voxloop:home", { ifAvailable: true }, async (lock) => {
    if (lock) await run();
  });
}

/**
 * How many strokes wait, and whether answers, comments or a hand-in do, in words; empty where only active time waits,
 * which is sent without a word.
 */
export function waitingWords({ lines, intents }: Waiting): string {
  const strokes = lines.reduce((sum, line) => sum + line.strokes, 0);
  const has = (kind: Intent["kind"]) => intents.filter((one) => one.kind === kind).length;
  const words = [
    strokes === 1 ? t("1 stroke") : strokes ? t("{n} strokes", { n: strokes }) : "",
    has("answer") ? t("answers") : "",
    has("word") ? tn(has("word"), "{n} comment", "{n} comments") : "",
    has("check") ? t("what was checked") : "",
    has("mark") ? t("measurements") : "",
    has("submit") ? t("to be handed in") : "",
  ];
  return words.filter(Boolean).join(", ");
}
