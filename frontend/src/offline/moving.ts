/** What older versions kept in `localStorage` moves into the intents, once. */

import { intent, type Intent, type Intents, type Kinds, type Of } from "./intents";

type Store = Pick<Storage, "length" | "key" | "getItem" | "removeItem">;

type OldIntents = Readonly<
  Record<
    string,
    { readonly code: string; readonly answers?: Readonly<Record<string, unknown>>; readonly submit?: Kinds["submit"] }
  >
>;

/** `here`: the assignment on the page. What belongs to a review round alone moves when that round is opened. */
export async function moveOld(intents: Intents, here: Of | null, store: Store = localStorage): Promise<void> {
  const { user } = intents;
  const keys = Array.from({ length: store.length }, (_, n) => store.key(n) ?? "");
  const found = new Map<string, Intent[]>();
  const read = <T>(key: string): T | null => {
    try {
      return JSON.parse(store.getItem(key) ?? "null") as T | null;
    } catch {
      return null;
    }
  };
  const old = read<OldIntents>(`voxloop.intents:${user}`) ?? {};
  const ofAssignment = (assignment: string): Of =>
    here?.assignment === assignment ? here : { assignment, code: old[assignment]?.code ?? "", review: null };
  for (const key of keys) {
    const own = (prefix: string): string | null =>
      key.startsWith(`${prefix}${user}.`) && !key.slice(prefix.length + user.length + 1).includes(".")
        ? key.slice(prefix.length + user.length + 1)
        : null;
    const answered = own("voxloop.answers."),
      said = own("voxloop.talk.");
    if (answered)
      found.set(
        key,
        Object.entries(read<Record<string, unknown>>(key) ?? {}).map(([name, value]) =>
          intent(ofAssignment(answered), "answer", name, value),
        ),
      );
    else if (said && said === here?.assignment)
      found.set(
        key,
        (read<Kinds["word"][]>(key) ?? []).map((word) => intent(here, "word", word.id, word)),
      );
    else if (here?.review && key === `voxloop.drafts.${user}.${here.review}`) {
      found.set(
        key,
        (read<{ text: string; ijk: Kinds["draft"]["ijk"] }[]>(key) ?? []).map((draft, n) =>
          intent(here, "draft", `moved-${n}`, { id: `moved-${n}`, ...draft }),
        ),
      );
    } else if (here?.review && key === `voxloop.checked.${here.review}`)
      found.set(
        key,
        (read<string[]>(key) ?? []).map((name) => intent(here, "check", name, true)),
      );
    else if (key === `voxloop.intents:${user}`) {
      found.set(
        key,
        Object.entries(old).flatMap(([assignment, { answers, submit }]) => [
          // The other key held what had changed of them, where there was one.
          ...(answers && !keys.includes(`voxloop.answers.${user}.${assignment}`)
            ? Object.entries(answers).map(([name, value]) => intent(ofAssignment(assignment), "answer", name, value))
            : []),
          ...(submit ? [intent(ofAssignment(assignment), "submit", "", submit)] : []),
        ]),
      );
    }
  }
  for (const [key, moved] of found) if (await intents.put(moved)) store.removeItem(key);
}
