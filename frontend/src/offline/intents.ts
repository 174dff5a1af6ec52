/**
 * What a person has said and the server does not have yet: answers, words, differences that were checked, the wish to
 * hand in. In IndexedDB, one store a person and one record a thing: a write touches nothing else, so that neither a
 * crash nor a second tab can lose a neighbour. Whoever logs in next on this computer never opens it.
 */

import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { Ijk } from "../editor/types";
import { uuid } from "../editor/uuid";
import type { Vault } from "../editor/vault";
import type { Shape } from "../ground/check";
import type { Mark } from "../ground/contract";
import { personVault } from "./vault";

/** A comment, or a reply `to` one, on its way; `refused` says why the server does not take it. */
export interface Word {
  readonly id: string;
  readonly text: string;
  readonly ijk: Ijk | null;
  readonly to: string | null;
  readonly refused: string | null;
}

/** A comment that waits for the return or the hand-in it goes with. */
export interface Draft {
  readonly id: string;
  readonly text: string;
  readonly ijk: Ijk | null;
}

/** From and to, in ms since 1970 by this browser's clock. */
export type Period = readonly [from: number, to: number];

/** What a person did at a scan; reported twice it counts once. */
export interface Activity {
  readonly periods: readonly Period[];
  /** Axial slices seen, as `Looks` gives them. */
  readonly slices?: string;
  /** Lesions visited, and all. */
  readonly lesions?: readonly [visited: number, all: number];
}

/** What is kept by kind. Names: the question; the difference; the id of the words; nothing. */
export interface Kinds {
  /** null: the answer was taken back. */
  readonly answer: unknown;
  /** null: not checked after all. */
  readonly check: true | null;
  readonly word: Word;
  readonly draft: Draft;
  /** Hand it in once everything else is on the server; its own checks decide then. */
  readonly submit: {
    readonly acknowledged: readonly string[];
    /** Questions to the reviewer. */
    readonly comments?: readonly Draft[];
    readonly at: string;
  };
  /** What was measured; null: deleted. Names: the mark's id. */
  readonly mark: Mark | null;
  /** What the person did at the scan. Names: the page. */
  readonly activity: Activity;
}

export interface Intent<K extends keyof Kinds = keyof Kinds> {
  readonly assignment: string;
  /** The scan's, to name it without its page. */
  readonly code: string;
  /** The review round that it belongs to. */
  readonly review: string | null;
  readonly kind: K;
  readonly name: string;
  readonly value: Kinds[K];
  /** Another one for every write: what changed while it was being sent is not taken for sent. */
  readonly stamp: string;
  /** ms since 1970. */
  readonly at: number;
}

/** What an intent belongs to. */
export type Of = Pick<Intent, "assignment" | "code" | "review">;

/** As it lies in the browser. Those without `sealed` are of older versions. */
type Kept =
  | (Pick<Intent, "assignment" | "kind" | "name" | "stamp" | "at"> & { readonly sealed: Uint8Array })
  | (Intent & { readonly sealed?: undefined });

interface Schema extends DBSchema {
  intents: { key: [string, string, string]; value: Kept };
}

/** What is sealed; the values of each kind are ours. */
const REST: Shape<Pick<Intent, "code" | "review" | "value">> = "code:s review:?s value?:*";

type Db = IDBPDatabase<Schema>;

const keyOf = ({ assignment, kind, name }: Pick<Intent, "assignment" | "kind" | "name">): [string, string, string] => [
  assignment,
  kind,
  name,
];

const openStore = async (user: string): Promise<Db> =>
  openDB<Schema>(`voxloop-intents:${user}`, 1, {
    upgrade(database) {
      database.createObjectStore("intents", { keyPath: ["assignment", "kind", "name"] });
    },
  });

async function seal(vault: Vault, { assignment, kind, name, stamp, at, ...rest }: Intent): Promise<Kept> {
  return { assignment, kind, name, stamp, at, sealed: await vault.sealValue(rest) };
}

async function unseal(vault: Vault, kept: Kept): Promise<Intent> {
  if (!kept.sealed) return kept;
  const { sealed, ...shown } = kept;
  return { ...shown, ...(await vault.openValue(sealed, REST)) };
}

export class Intents {
  readonly #db: Promise<Db | null>;
  /** What this browser did not keep (a private window, a full disk): it lives as long as the page. */
  readonly #loose = new Map<string, Intent>();

  /** Sealing takes a moment: what is asked for after a write sees it. */
  #puts: Promise<unknown> = Promise.resolve();

  constructor(readonly user: string) {
    this.#db = openStore(user).catch(() => null);
  }

  /** Keeps them over what was kept under the same names. Answers whether they outlive the page. */
  put(intents: readonly Intent[]): Promise<boolean> {
    const done = this.#puts.then(() => this.#put(intents));
    this.#puts = done;
    return done;
  }

  async #put(intents: readonly Intent[]): Promise<boolean> {
    try {
      const vault = await personVault();
      const sealed = await Promise.all(intents.map((intent) => seal(vault, intent)));
      const tx = await this.#write();
      const done = Promise.all([...sealed.map((intent) => tx.store.put(intent)), tx.done]);
      tx.commit();
      await done;
      for (const intent of intents) this.#loose.delete(keyOf(intent).join());
      return true;
    } catch {
      for (const intent of intents) this.#loose.set(keyOf(intent).join(), intent);
      return false;
    }
  }

  /** Takes away what the server has, as far as it was not said anew meanwhile. */
  async drop(intents: readonly Intent[]): Promise<void> {
    await this.#puts;
    for (const intent of intents)
      if (this.#loose.get(keyOf(intent).join())?.stamp === intent.stamp) this.#loose.delete(keyOf(intent).join());
    const tx = await this.#write().catch(() => null);
    if (!tx) return;
    for (const intent of intents) {
      const kept = await tx.store.get(keyOf(intent));
      if (kept?.stamp === intent.stamp) await tx.store.delete(keyOf(intent));
    }
    await tx.done;
  }

  /** Everything that is kept, of one assignment or of all, as it was said. */
  async list(assignment?: string): Promise<Intent[]> {
    await this.#puts;
    const db = await this.#db;
    const range = assignment === undefined ? null : IDBKeyRange.bound([assignment], [assignment, []]);
    const kept = db ? await db.getAll("intents", range).catch(() => []) : [];
    const vault = await personVault();
    const opened = await Promise.all(kept.map((intent) => unseal(vault, intent)));
    const all = new Map(opened.map((intent) => [keyOf(intent).join(), intent]));
    for (const [key, intent] of this.#loose)
      if (assignment === undefined || intent.assignment === assignment) all.set(key, intent);
    return [...all.values()].sort((a, b) => a.at - b.at);
  }

  /** Gives up everything. */
  async clear(): Promise<void> {
    await this.#puts;
    this.#loose.clear();
    const tx = await this.#write().catch(() => null);
    if (!tx) return;
    await tx.store.clear();
    await tx.done;
  }

  async #write() {
    const db = await this.#db;
    if (!db) throw new Error("this browser keeps nothing");
    return db.transaction("intents", "readwrite");
  }
}

const opened = new Map<string, Intents>();

/** One person's intents, opened once a page. */
export function intentsOf(user: string): Intents {
  const intents = opened.get(user) ?? new Intents(user);
  opened.set(user, intents);
  return intents;
}

let last = 0;

export function intent<K extends keyof Kinds>(of: Of, kind: K, name: string, value: Kinds[K]): Intent<K> {
  // Two of the same millisecond keep their order.
  last = Math.max(Date.now(), last + 0.001);
  return { assignment: of.assignment, code: of.code, review: of.review, kind, name, value, stamp: uuid(), at: last };
}

export const isOf =
  <K extends keyof Kinds>(kind: K) =>
  (one: Intent): one is Intent<K> =>
    one.kind === kind;

/** The intents of one kind of one assignment. */
export class Shelf<K extends keyof Kinds> {
  constructor(
    private readonly intents: Pick<Intents, "put" | "drop" | "list">,
    readonly of: Of,
    private readonly kind: K,
  ) {}

  async kept(): Promise<Intent<K>[]> {
    return (await this.intents.list(this.of.assignment)).filter(isOf(this.kind));
  }

  /** Keeps values by name. */
  put(values: Readonly<Record<string, Kinds[K]>>): Promise<boolean> {
    return this.intents.put(Object.entries(values).map(([name, value]) => intent(this.of, this.kind, name, value)));
  }

  drop(intents: readonly Intent<K>[]): Promise<void> {
    return this.intents.drop(intents);
  }

  /** Takes away by name, whatever it is now; all of them without names. */
  async remove(names?: readonly string[]): Promise<void> {
    await this.intents.drop((await this.kept()).filter(({ name }) => !names || names.includes(name)));
  }
}
