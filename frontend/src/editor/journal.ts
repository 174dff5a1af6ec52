/**
 * The journal: every stroke of a line of work (one layer of one assignment), in IndexedDB, before anything is sent.
 * It holds the mask it stands on (`base`), the entries since, what the server has confirmed, and the request under
 * way, so that a crash at any moment loses nothing and sends nothing twice.
 */

import { openDB, type DBSchema, type IDBPDatabase, type IDBPTransaction } from "idb";
import { whenNobodyWrites } from "./ownership";
import { Unreadable, Vault } from "./vault";
import {
  ENTRY_SHAPE,
  LINE_SHAPE,
  PARTS,
  PENDING_SHAPE,
  type Entry,
  type About,
  type LineState,
  type Pending,
  TakenOver,
  type Restored,
  type Change,
  type Keeper,
} from "./keeper";

/** As they lie in the browser: what says anything of a scan is sealed. Those without `sealed` are of older versions. */
type Kept<T, Shown extends keyof T> =
  | (Pick<T, Shown> & { readonly sealed: Uint8Array })
  | (T & { readonly sealed?: undefined });

type KeptLine = Kept<LineState, "line" | "epoch" | "baseSeq" | "ackedSeq" | "ackedRevision" | "lastSeq" | "at">;

type KeptEntry = Kept<Entry, "line" | "seq">;

type KeptPending = { readonly sealed: Uint8Array } | (Pending & { readonly sealed?: undefined });

interface Schema extends DBSchema {
  lines: { key: string; value: KeptLine };
  entries: { key: [string, number]; value: KeptEntry };
  bases: { key: string; value: Uint8Array };
  pending: { key: string; value: KeptPending };
}

/** A finished line is forgotten after this many ms. */
const FORGET_AFTER_MS = 30 * 24 * 3600 * 1000;

const STORES = ["lines", "entries", "bases", "pending"] as const;

/** Name of one person's journal: whoever logs in next on this computer never opens it. */
export const journalOf = (user: string, name = "voxloop-editor"): string => `${name}:${user}`;

const openStores = (name: string): Promise<IDBPDatabase<Schema>> =>
  openDB<Schema>(name, 1, {
    upgrade(database) {
      database.createObjectStore("lines", { keyPath: "line" });
      database.createObjectStore("entries", { keyPath: ["line", "seq"] });
      database.createObjectStore("bases");
      database.createObjectStore("pending");
    },
  });

const sealLine = async (
  vault: Vault,
  { line, epoch, baseSeq, ackedSeq, ackedRevision, lastSeq, at, ...rest }: LineState,
): Promise<KeptLine> => ({
  line,
  epoch,
  baseSeq,
  ackedSeq,
  ackedRevision,
  lastSeq,
  at,
  sealed: await vault.sealValue(rest),
});

const openLine = async (vault: Vault, kept: KeptLine): Promise<LineState> => {
  if (!kept.sealed) return kept;
  const { sealed, ...shown } = kept;
  return { ...shown, ...(await vault.openValue(sealed, LINE_SHAPE, PARTS)) };
};

const sealEntry = async (vault: Vault, { line, seq, ...rest }: Entry): Promise<KeptEntry> => ({
  line,
  seq,
  sealed: await vault.sealValue(rest),
});

const openEntry = async (vault: Vault, kept: KeptEntry): Promise<Entry> =>
  kept.sealed ? { line: kept.line, seq: kept.seq, ...(await vault.openValue(kept.sealed, ENTRY_SHAPE)) } : kept;

export class Journal implements Keeper {
  readonly kind = "journal";

  private constructor(
    readonly line: string,
    readonly db: IDBPDatabase<Schema>,
    private readonly vault: Vault,
  ) {}

  static async open(line: string, name = "voxloop-editor", vault = Vault.plain): Promise<Journal> {
    return new Journal(line, await openStores(name), vault);
  }

  /** The lines of a journal that hold strokes which the server has not confirmed, newest first. */
  static async unsent(name: string, vault = Vault.plain): Promise<{ state: LineState; strokes: number }[]> {
    const db = await openStores(name);
    try {
      const found = [];
      for (const kept of await db.getAll("lines")) {
        if (kept.lastSeq <= kept.ackedSeq) continue;
        const entries = await db.getAll(
          "entries",
          IDBKeyRange.bound([kept.line, kept.ackedSeq + 1], [kept.line, Infinity]),
        );
        const opened = await Promise.all(entries.map((entry) => openEntry(vault, entry)));
        found.push({
          state: await openLine(vault, kept),
          strokes: opened.reduce((sum, entry) => sum + entry.strokes.length, 0),
        });
      }
      return found.sort((a, b) => (b.state.at ?? 0) - (a.state.at ?? 0));
    } finally {
      db.close();
    }
  }

  /** Removes every line that the server has whole. Answers whether any is left. */
  static async forgetSent(name: string): Promise<boolean> {
    const db = await openStores(name);
    try {
      const lines = await db.getAll("lines");
      for (const { line, lastSeq, ackedSeq } of lines)
        if (lastSeq <= ackedSeq) await new Journal(line, db, Vault.plain).forget();
      return lines.some(({ lastSeq, ackedSeq }) => lastSeq > ackedSeq);
    } finally {
      db.close();
    }
  }

  /** Removes every line, sent or not. The stores stay: another tab may have them open, and hears at its next write. */
  static async forgetAll(name: string): Promise<void> {
    const db = await openStores(name);
    const tx = db.transaction(STORES, "readwrite");
    for (const store of STORES) void tx.objectStore(store).clear();
    await tx.done;
    db.close();
  }

  async read(): Promise<Restored> {
    const tx = this.db.transaction(STORES);
    const [state, entries, base, pending] = await Promise.all([
      tx.objectStore("lines").get(this.line),
      tx.objectStore("entries").getAll(IDBKeyRange.bound([this.line, 0], [this.line, Infinity])),
      tx.objectStore("bases").get(this.line),
      tx.objectStore("pending").get(this.line),
    ]);
    return {
      state: state ? await openLine(this.vault, state) : null,
      entries: await Promise.all(entries.map((entry) => openEntry(this.vault, entry))),
      base: base ? await this.vault.open(base) : null,
      pending: pending?.sealed ? await this.vault.openValue(pending.sealed, PENDING_SHAPE) : (pending ?? null),
    };
  }

  async claim(about: About): Promise<number> {
    const kept = await this.db.get("lines", this.line);
    const before = kept
      ? await openLine(this.vault, kept)
      : {
          line: this.line,
          epoch: 0,
          baseSeq: 0,
          ackedSeq: 0,
          ackedRevision: "",
          lastSeq: 0,
          undo: [],
          redo: [],
          conflict: null,
        };
    const state = await sealLine(this.vault, { ...before, about, epoch: before.epoch + 1, at: Date.now() });
    // Sealing does not fit into a transaction: what was written meanwhile (another tab, a stroke of it) is read anew.
    const tx = this.db.transaction("lines", "readwrite");
    const now = await tx.store.get(this.line);
    const isSame =
      now?.epoch === kept?.epoch &&
      now?.at === kept?.at &&
      now?.lastSeq === kept?.lastSeq &&
      now?.ackedSeq === kept?.ackedSeq;
    if (isSame) await tx.store.put(state);
    await tx.done;
    return isSame ? state.epoch : this.claim(about);
  }

  async write(change: Change): Promise<void> {
    const { vault } = this;
    const [add, base, pending, line] = await Promise.all([
      Promise.all((change.add ?? []).map((entry) => sealEntry(vault, entry))),
      change.base && vault.seal(change.base),
      change.pending && vault.sealValue(change.pending),
      sealLine(vault, { ...change.state, at: Date.now() }),
    ]);
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
    for (const entry of add) void entries.put(entry);
    for (const seq of change.drop ?? []) void entries.delete([this.line, seq]);
    if (base) void tx.objectStore("bases").put(base, this.line);
    if (pending) void tx.objectStore("pending").put({ sealed: pending }, this.line);
    if (change.pending === null) void tx.objectStore("pending").delete(this.line);
    void tx.objectStore("lines").put(line);
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

  close(): void {
    this.db.close();
  }
}

/**
 * Lays the newest mask of the server under a line that has nothing unsent, so that the line opens without a network. A
 * line that a tab is writing is left alone: its journal is at least as new.
 */
export async function seedLine(
  name: string,
  about: About,
  revision: string,
  base: Uint8Array,
  vault = Vault.plain,
): Promise<void> {
  const line = `${about.assignment}/${about.layer}`;
  const sealedBase = await vault.seal(base);
  const seed = async (): Promise<void> => {
    const db = await openStores(name);
    try {
      const kept = await db.get("lines", line);
      if (kept && kept.lastSeq !== kept.ackedSeq) return;
      const before =
        kept &&
        (await openLine(vault, kept).catch((error: unknown) => {
          if (error instanceof Unreadable) return undefined;
          throw error;
        }));
      const same = before?.ackedRevision === revision;
      const seq = before?.lastSeq ?? 0;
      const state = await sealLine(vault, {
        line,
        about,
        epoch: (kept?.epoch ?? 0) + 1,
        baseSeq: seq,
        ackedSeq: seq,
        ackedRevision: revision,
        lastSeq: seq,
        undo: same ? before.undo : [],
        redo: same ? before.redo : [],
        conflict: null,
        at: Date.now(),
      });
      const tx = db.transaction(STORES, "readwrite");
      void tx.objectStore("lines").put(state);
      void tx.objectStore("bases").put(sealedBase, line);
      if (!same) void tx.objectStore("entries").delete(IDBKeyRange.bound([line, 0], [line, Infinity]));
      await tx.done;
    } finally {
      db.close();
    }
  };
  await whenNobodyWrites(line, seed);
}
