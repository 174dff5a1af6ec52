/** What older versions kept in `localStorage` moves into the intents, once. */

import { readKept, type Shape } from "../ground/check";
import { intent, type Intent, type Intents, type Kinds, type Of } from "./intents";

type Store = Pick<Storage, "length" | "key" | "getItem" | "removeItem">;

interface OldIntent {
  readonly code?: string;
  readonly answers?: Readonly<Record<string, unknown>>;
  readonly submit?: Kinds["submit"];
}

const PARTS = { old: "code?:s answers?:{* submit?:submit", submit: "acknowledged:[s at:s" };
const OLD: Shape<Readonly<Record<string, OldIntent>>> = "{old";
const ANSWERS: Shape<Readonly<Record<string, unknown>>> = "{*";
const WORDS: Shape<readonly Kinds["word"][]> = "[id text:s ijk:?3n to refused:?s";
const DRAFTS: Shape<readonly Pick<Kinds["draft"], "text" | "ijk">[]> = "[text:s ijk:?3n";
const NAMES: Shape<readonly string[]> = "[s";

/** A key of the old store, and what is kept there as intents; null where that is not understood. */
type Old = readonly [key: string, moved: Intent[] | null];

function readOld<T>(store: Store, key: string, shape: Shape<T>, intentsOf: (kept: T) => Intent[]): Old {
  const kept = readKept(store.getItem(key), shape, PARTS);
  return [key, kept === null ? null : intentsOf(kept)];
}

/** What belongs to the assignment on the page and to its review round. */
function oldOfPage(store: Store, user: string, here: Of): Old[] {
  const { assignment, review } = here;
  const words = readOld(store, `voxloop.talk.${user}.${assignment}`, WORDS, (kept) =>
    kept.map((word) => intent(here, "word", word.id, word)),
  );
  if (!review) return [words];
  const drafts = readOld(store, `voxloop.drafts.${user}.${review}`, DRAFTS, (kept) =>
    kept.map((draft, n) => intent(here, "draft", `moved-${n}`, { id: `moved-${n}`, ...draft })),
  );
  const checks = readOld(store, `voxloop.checked.${review}`, NAMES, (kept) =>
    kept.map((name) => intent(here, "check", name, true)),
  );
  return [words, drafts, checks];
}

/** Answers by assignment, and what was waiting to go to the server: answers too, and the wish to hand in. */
function oldOfPerson(store: Store, user: string, here: Of | null): Old[] {
  const waitingKey = `voxloop.intents:${user}`;
  const answersPrefix = `voxloop.answers.${user}.`;
  const answerKeys = Array.from({ length: store.length }, (_, n) => store.key(n) ?? "").filter(
    (key) => key.startsWith(answersPrefix) && /^[^.]+$/.test(key.slice(answersPrefix.length)),
  );
  const codes = readKept(store.getItem(waitingKey), OLD, PARTS) ?? {};
  const ofAssignment = (assignment: string): Of =>
    here?.assignment === assignment ? here : { assignment, code: codes[assignment]?.code ?? "", review: null };
  const answersOf = (assignment: string, answers: Readonly<Record<string, unknown>> = {}): Intent[] =>
    Object.entries(answers).map(([name, value]) => intent(ofAssignment(assignment), "answer", name, value));
  const waiting = readOld(store, waitingKey, OLD, (old) =>
    Object.entries(old).flatMap(([assignment, { answers, submit }]) => [
      // The other key held what had changed of them, where there was one.
      ...(answerKeys.includes(answersPrefix + assignment) ? [] : answersOf(assignment, answers)),
      ...(submit ? [intent(ofAssignment(assignment), "submit", "", submit)] : []),
    ]),
  );
  return [
    waiting,
    ...answerKeys.map((key) =>
      readOld(store, key, ANSWERS, (kept) => answersOf(key.slice(answersPrefix.length), kept)),
    ),
  ];
}

/**
 * `here`: the assignment on the page. What belongs to a review round alone moves when that round is opened. What is not
 * understood stays where it is.
 */
export async function moveOld(intents: Intents, here: Of | null, store: Store = localStorage): Promise<void> {
  const { user } = intents;
  const found = [...oldOfPerson(store, user, here), ...(here ? oldOfPage(store, user, here) : [])];
  for (const [key, moved] of found) if (moved && (await intents.put(moved))) store.removeItem(key);
}
