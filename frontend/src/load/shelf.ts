/**
 * Voxels that were fetched once, kept for the next visit of the same log-in and of no other: in IndexedDB, sealed with
 * the key of the log-in. The browser's own cache keeps none of them (the server says `no-store`), because nobody can
 * empty that one for sure.
 */

import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import { letGo } from "../editor/handover";
import { Unreadable, Vault } from "../editor/vault";
import { loginKey } from "../ground/personal";
import { shelfOf } from "../ground/caches";
import { fetchBytes } from "../ground/api";

/** The oldest go when there is more: about ten chest CTs. */
const MOST_BYTES = 1_500_000_000;
/** Between two counts. */
const COUNT_EVERY = 50_000_000;

interface Schema extends DBSchema {
  parts: { key: string; value: Uint8Array };
  sizes: {
    key: string;
    value: { readonly url: string; readonly bytes: number; readonly at: number };
    indexes: { at: number };
  };
}

interface Shelf {
  readonly db: IDBPDatabase<Schema>;
  readonly vault: Vault;
}

let opened: Promise<Shelf | null> | undefined;
let uncounted = COUNT_EVERY;

async function open(): Promise<Shelf | null> {
  const key = loginKey();
  const vault = await Vault.of(key);
  // What cannot be sealed is not kept: over plain http each visit fetches anew.
  if (!key || !vault.seals) return null;
  const db = await openDB<Schema>(shelfOf(key), 1, {
    upgrade(database) {
      database.createObjectStore("parts");
      database.createObjectStore("sizes", { keyPath: "url" }).createIndex("at", "at");
    },
    // Another page empties the browser: let it.
    blocking(_old, _new, event) {
      opened = Promise.resolve(null);
      (event.target as IDBDatabase).close();
    },
  });
  return { db, vault };
}

const shelf = (): Promise<Shelf | null> => (opened ??= open().catch(() => null));

const early = new Map<string, Promise<Uint8Array>>();

/** Ask for a part before the script that needs it is there; the first `fetchKept` of its address takes it. */
export function fetchEarly(url: string): void {
  const coming = fetchKept(url);
  coming.catch(() => undefined); // told to who takes it
  early.set(url, coming);
}

/**
 * Bytes of an immutable part: from the shelf, else from the server and then onto the shelf. With `cache: "reload"` what
 * lies there is not looked at and is replaced. Throws `Problem`, as `fetchBytes`.
 */
export async function fetchKept(url: string, init: RequestInit = {}): Promise<Uint8Array> {
  const coming = early.get(url);
  if (early.delete(url) && coming && init.cache !== "reload") return coming;
  const here = await shelf();
  const kept = init.cache === "reload" ? undefined : await here?.db.get("parts", url).catch(() => undefined);
  if (here && kept) {
    try {
      return await here.vault.open(kept);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
    }
  }
  const bytes = await fetchBytes(url, init);
  // The caller may hand the memory on: what is sealed is a copy, made before it does.
  if (here)
    void here.vault
      .seal(bytes)
      .then((sealed) => put(here, url, sealed).finally(() => letGo(sealed)))
      .catch(() => undefined);
  return bytes;
}

async function put({ db }: Shelf, url: string, sealed: Uint8Array): Promise<void> {
  const tx = db.transaction(["parts", "sizes"], "readwrite");
  void tx.objectStore("parts").put(sealed, url);
  void tx.objectStore("sizes").put({ url, bytes: sealed.length, at: Date.now() });
  await tx.done;
  uncounted += sealed.length;
  if (uncounted < COUNT_EVERY) return;
  uncounted = 0;
  await makeRoom(db);
}

async function makeRoom(db: IDBPDatabase<Schema>): Promise<void> {
  const { quota } = (await navigator.storage?.estimate?.()) ?? {};
  const most = Math.min(MOST_BYTES, (quota ?? MOST_BYTES) / 3);
  const rows = await db.getAllFromIndex("sizes", "at");
  let sum = rows.reduce((all, one) => all + one.bytes, 0);
  const gone = rows.filter((one) => {
    if (sum <= most) return false;
    sum -= one.bytes;
    return true;
  });
  if (!gone.length) return;
  const tx = db.transaction(["parts", "sizes"], "readwrite");
  for (const { url } of gone) {
    void tx.objectStore("parts").delete(url);
    void tx.objectStore("sizes").delete(url);
  }
  await tx.done;
}
