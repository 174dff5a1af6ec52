/**
 * The journal: every stroke of a line of work (one layer of one assignment), in IndexedDB, before anything is sent.
 * It holds the mask it stands on (`base`), the entries since, what the server has confirmed, and the request under
 * way, so that a crash at any moment loses nothing and sends nothing twice.
 */

import { openDB, type DBSchema, type IDBPDatabase, type IDBPTransaction } from "idb";
import type { Keeping, Stroke, Zyx } from "./types";

export interface Entry {
  readonly line: string;
  readonly seq: number;
  /** `undo` and `redo` repeat the runs of entry `of`; `rebase` carries unsent strokes over to another base. */
  readonly kind: "stroke" | "undo" | "redo" | "rebase";
  readonly of: number | null;
  readonly runs: Uint8Array;
  readonly strokes: readonly Stroke[];
}

export interface Conflict { readonly mine: string; readonly theirs: string; readonly overlap: Uint8Array }

/** What a line of work is: enough to name it, to send it, and to write it as a file without its page. */
export interface About {
  readonly assignment: string;
  readonly layer: string;
  readonly scan: string;
  readonly maskUrl: string;
  readonly shapeZyx: Zyx;
  readonly spacingMmZyx: Zyx;
  readonly lpsFromIjk: readonly (readonly number[])[];
}

export interface LineState {
  readonly line: string;
  readonly about?: About;
  /** Which writer the journal belongs to: each tab that takes the line over counts one up. */
  readonly epoch: number;
  /** The base is the mask after entry `baseSeq`. */
  readonly baseSeq: number;
  readonly ackedSeq: number;
  readonly ackedRevision: string;
  readonly lastSeq: number;
  readonly undo: readonly number[];
  readonly redo: readonly number[];
  readonly conflict: Conflict | null;
  /** Time of the last write, in ms since 1970. */
  readonly at?: number;
}

/** A save under way: sent again with the same key and the same bytes until it is answered. */
export interface Pending { readonly key: string; readonly upTo: number; readonly ifMatch: string; readonly body: Uint8Array }

interface Schema extends DBSchema {
  lines: { key: string; value: LineState };
  entries: { key: [string, number]; value: Entry };
  bases: { key: string; value: Uint8Array };
  pending: { key: string; value: Pending };
}

/** Another tab has taken the line over; nothing was written. */
export class TakenOver extends Error {}

export interface Restored { readonly state: LineState | null; readonly entries: Entry[]; readonly base: Uint8Array | null; readonly pending: Pending | null }

export interface Change {
  readonly state: LineState;
  readonly add?: readonly Entry[];
  readonly drop?: readonly number[];
  readonly base?: Uint8Array;
  /** null removes it. */
  readonly pending?: Pending | null;
}

/** A finished line is forgotten after this many ms. */
const FORGET_AFTER_MS = 30 * 24 * 3600 * 1000;

const STORES = ["lines", "entries", "bases", "pending"] as const;

/** Name of one person's journal: whoever logs in next on this computer never opens it. */
export const journalOf = (user: string, name = "voxloop-editor"): string => `${name}:${user}`;

const openStores = (name: string): Promise<IDBPDatabase<Schema>> => openDB<Schema>(name, 1, {
  upgrade(database) {
    database.createObjectStore("lines", { keyPath: "line" });
    database.createObjectStore("entries", { keyPath: ["line", "seq"] });
    database.createObjectStore("bases");
    database.createObjectStore("pending");
  },
});

/** Where the strokes of one line are kept. */
export interface Keeper {
  readonly kind: Keeping;
  read(): Promise<Restored>;
  /** Makes this tab the writer; every other one is refused from now on. Answers the new epoch. */
  claim(about: About): Promise<number>;
  /** Writes a change whole or not at all. Throws `TakenOver` when another tab has claimed the line since. */
  write(change: Change): Promise<void>;
  tidy(): Promise<void>;
  close(): void;
}

/** A window that may keep nothing (private, or storage forbidden): strokes live as long as the page. */
export class Forgetful implements Keeper {
  readonly kind = "memory";
  read(): Promise<Restored> { return Promise.resolve({ state: null, entries: [], base: null, pending: null }); }
  claim(): Promise<number> { return Promise.resolve(1); }
  write(): Promise<void> { return Promise.resolve(); }
  tidy(): Promise<void> { return Promise.resolve(); }
  close(): void { /* nothing is open */ }
}

export class Journal implements Keeper {
  readonly kind = "journal";

  private constructor(readonly line: string, readonly db: IDBPDatabase<Schema>) {}

  static async open(line: string, name = "voxloop-editor"): Promise<Journal> { return new Journal(line, await openStores(name)); }

  /** The lines of a journal that hold strokes which the server has not confirmed, newest first. */
  static async unsent(name: string): Promise<{ state: LineState; strokes: number }[]> {
    const db = await openStores(name);
    try {
      const found = [];
      for (const state of await db.getAll("lines")) {
        if (state.lastSeq <= state.ackedSeq) continue;
        const entries = await db.getAll("entries", IDBKeyRange.bound([state.line, state.ackedSeq + 1], [state.line, Infinity]));
        found.push({ state, strokes: entries.reduce((sum, entry) => sum + entry.strokes.length, 0) });
      }
      return found.sort((a, b) => (b.state.at ?? 0) - (a.state.at ?? 0));
    } finally {
      db.close();
    }
  }

  async read(): Promise<Restored> {
    const tx = this.db.transaction(STORES);
    const [state, entries, base, pending] = await Promise.all([
      tx.objectStore("lines").get(this.line),
      tx.objectStore("entries").getAll(IDBKeyRange.bound([this.line, 0], [this.line, Infinity])),
      tx.objectStore("bases").get(this.line),
      tx.objectStore("pending").get(this.line),
    ]);
    return { state: state ?? null, entries, base: base ?? null, pending: pending ?? null };
  }

  async claim(about: About): Promise<number> {
    const tx = this.db.transaction("lines", "readwrite");
    const before = await tx.store.get(this.line);
    const state = before ?? {
      line: this.line, epoch: 0, baseSeq: 0, ackedSeq: 0, ackedRevision: "", lastSeq: 0, undo: [], redo: [], conflict: null,
    };
    await tx.store.put({ ...state, about, epoch: state.epoch + 1, at: Date.now() });
    await tx.done;
    return state.epoch + 1;
  }

  async write(change: Change): Promise<void> {
    const tx = this.db.transaction(STORES, "readwrite");
    const stored = await tx.objectStore("lines").get(this.line);
    if (stored?.epoch !== change.state.epoch) {
      // Awaited before the abort: it rejects with it.
      const aborted = tx.done.catch(() => undefined);
      tx.abort();
      await aborted;
      throw new TakenOver("another tab has taken this work over");
    }
    const entries = tx.objectStore("entries");
    for (const entry of change.add ?? []) void entries.put(entry);
    for (const seq of change.drop ?? []) void entries.delete([this.line, seq]);
    if (change.base) void tx.objectStore("bases").put(change.base, this.line);
    if (change.pending) void tx.objectStore("pending").put(change.pending, this.line);
    if (change.pending === null) void tx.objectStore("pending").delete(this.line);
    void tx.objectStore("lines").put({ ...change.state, at: Date.now() });
    await tx.done;
  }

  /** Removes a line with all its strokes. */
  async forget(): Promise<void> {
    const tx = this.db.transaction(STORES, "readwrite");
    this.#drop(tx, this.line);
    await tx.done;
  }

  /** Forgets other lines that the server has whole and that nobody has touched for a month. */
  async tidy(now = Date.now()): Promise<void> {
    const tx = this.db.transaction(STORES, "readwrite");
    for (const { line, lastSeq, ackedSeq, at } of await tx.objectStore("lines").getAll()) {
      if (line === this.line || lastSeq !== ackedSeq || now - (at ?? now) < FORGET_AFTER_MS) continue;
      this.#drop(tx, line);
    }
    await tx.done;
  }

  #drop(tx: IDBPTransaction<Schema, typeof STORES, "readwrite">, line: string): void {
    void tx.objectStore("lines").delete(line);
    void tx.objectStore("bases").delete(line);
    void tx.objectStore("pending").delete(line);
    void tx.objectStore("entries").delete(IDBKeyRange.bound([line, 0], [line, Infinity]));
  }

  close(): void { this.db.close(); }
}

/** Two changes as one: what the journal must hold after both. */
export function bothOf(first: Change, second: Change): Change {
  const drop = new Set([...(first.drop ?? []), ...(second.drop ?? [])]);
  return {
    state: second.state,
    add: [...(first.add ?? []), ...(second.add ?? [])].filter((entry) => !drop.has(entry.seq)),
    drop: [...drop],
    base: second.base ?? first.base,
    pending: second.pending === undefined ? first.pending : second.pending,
  };
}

/**
 * Lays the newest mask of the server under a line that has nothing unsent, so that the line opens without a network. A
 * line that a tab is writing is left alone: its journal is at least as new.
 */
export async function seedLine(name: string, about: About, revision: string, base: Uint8Array): Promise<void> {
  const line = `${about.assignment}/${about.layer}`;
  const seed = async (): Promise<void> => {
    const db = await openStores(name);
    const tx = db.transaction(STORES, "readwrite");
    const before = await tx.objectStore("lines").get(line);
    if (!before || before.lastSeq === before.ackedSeq) {
      const same = before?.ackedRevision === revision;
      const seq = before?.lastSeq ?? 0;
      void tx.objectStore("lines").put({
        line, about, epoch: (before?.epoch ?? 0) + 1, baseSeq: seq, ackedSeq: seq, ackedRevision: revision, lastSeq: seq,
        undo: same ? before.undo : [], redo: same ? before.redo : [], conflict: null, at: Date.now(),
      });
      void tx.objectStore("bases").put(base, line);
      if (!same) void tx.objectStore("entries").delete(IDBKeyRange.bound([line, 0], [line, Infinity]));
    }
    await tx.done;
    db.close();
  };
  await navigator.locks.request(`voxloop:${line}`, { ifAvailable: true }, async (lock) => { if (lock) await seed(); });
}
