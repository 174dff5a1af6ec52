/**
 * The journal: every stroke of a line of work (one layer of one assignment), in IndexedDB, before anything is sent.
 * It holds the mask it stands on (`base`), the entries since, what the server has confirmed, and the request under
 * way, so that a crash at any moment loses nothing and sends nothing twice.
 */

import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { Stroke } from "./types";

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

export interface LineState {
  readonly line: string;
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

export class Journal {
  private constructor(readonly line: string, readonly db: IDBPDatabase<Schema>) {}

  static async open(line: string, name = "voxloop-editor"): Promise<Journal> {
    const db = await openDB<Schema>(name, 1, {
      upgrade(database) {
        database.createObjectStore("lines", { keyPath: "line" });
        database.createObjectStore("entries", { keyPath: ["line", "seq"] });
        database.createObjectStore("bases");
        database.createObjectStore("pending");
      },
    });
    return new Journal(line, db);
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

  /** Makes this tab the writer; every other one is refused from now on. Answers the new epoch. */
  async claim(): Promise<number> {
    const tx = this.db.transaction("lines", "readwrite");
    const before = await tx.store.get(this.line);
    const state = before ?? {
      line: this.line, epoch: 0, baseSeq: 0, ackedSeq: 0, ackedRevision: "", lastSeq: 0, undo: [], redo: [], conflict: null,
    };
    await tx.store.put({ ...state, epoch: state.epoch + 1, at: Date.now() });
    await tx.done;
    return state.epoch + 1;
  }

  /** Writes a change whole or not at all. Throws `TakenOver` when another tab has claimed the line since. */
  async write(change: Change): Promise<void> {
    const tx = this.db.transaction(STORES, "readwrite");
    const stored = await tx.objectStore("lines").get(this.line);
    if (stored?.epoch !== change.state.epoch) {
      tx.abort();
      await tx.done.catch(() => undefined);
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

  /** Forgets other lines that the server has whole and that nobody has touched for a month. */
  async tidy(now = Date.now()): Promise<void> {
    const tx = this.db.transaction(STORES, "readwrite");
    for (const { line, lastSeq, ackedSeq, at } of await tx.objectStore("lines").getAll()) {
      if (line === this.line || lastSeq !== ackedSeq || now - (at ?? now) < FORGET_AFTER_MS) continue;
      void tx.objectStore("lines").delete(line);
      void tx.objectStore("bases").delete(line);
      void tx.objectStore("pending").delete(line);
      void tx.objectStore("entries").delete(IDBKeyRange.bound([line, 0], [line, Infinity]));
    }
    await tx.done;
  }

  close(): void { this.db.close(); }
}
