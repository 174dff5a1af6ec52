/** Which batches are kept in this browser, and for whom. What is kept belongs to one person. */

import { readKept, type Shape } from "../ground/check";
import type { OfflineScan } from "../ground/contract";
import { loginKey } from "../ground/personal";
import { CACHE, SHELF, shelfOf, WORKER } from "../ground/caches";

export interface KeptScan extends OfflineScan {
  /** Addresses in the cache; complete when `done`. */
  readonly parts: readonly string[];
  readonly done: boolean;
}

export interface KeptBatch {
  readonly id: string;
  readonly name: string;
  readonly until: string;
  readonly scans: readonly KeptScan[];
}

interface Registry {
  readonly user: string;
  readonly batches: Readonly<Record<string, KeptBatch>>;
}

const KEY = "voxloop.offline";

const REGISTRY: Shape<Registry> = "user:s batches:{batch";
const PARTS = {
  batch: "id name until:s scans:[scan",
  scan: "assignment code view:s bytes:n parts:[s done:b",
};

const read = (): Registry | null => readKept(localStorage.getItem(KEY), REGISTRY, PARTS);

export function keptBatches(user: string): KeptBatch[] {
  const registry = read();
  return registry?.user === user ? Object.values(registry.batches) : [];
}

export function keptBatch(user: string, id: string): KeptBatch | null {
  return keptBatches(user).find((batch) => batch.id === id) ?? null;
}

export function noteBatch(user: string, batch: KeptBatch): void {
  const others = Object.fromEntries(keptBatches(user).map((one) => [one.id, one]));
  localStorage.setItem(KEY, JSON.stringify({ user, batches: { ...others, [batch.id]: batch } } satisfies Registry));
}

export function forgetBatch(user: string, id: string): void {
  const left = keptBatches(user).filter((batch) => batch.id !== id);
  if (left.length)
    localStorage.setItem(
      KEY,
      JSON.stringify({ user, batches: Object.fromEntries(left.map((one) => [one.id, one])) } satisfies Registry),
    );
  else localStorage.removeItem(KEY);
}

/** Removes every scan that is kept here, whoever took it along; unsent strokes stay in their journals. */
export async function wipe(): Promise<void> {
  localStorage.removeItem(KEY);
  if (!("caches" in globalThis)) return;
  for (const name of await caches.keys()) if (name.startsWith(CACHE)) await caches.delete(name);
  for (const registration of await navigator.serviceWorker.getRegistrations()) {
    if (registration.active?.scriptURL.endsWith(WORKER)) await registration.unregister();
  }
}

/** Scans that somebody else took along are not for the one who is logged in now. */
export async function wipeOthers(user: string): Promise<void> {
  const registry = read();
  if (registry && registry.user !== user) await wipe();
  await wipeShelves(loginKey());
}

/** Removes the voxels of every log-in but this one; they are sealed with keys that nobody gets any more. */
export async function wipeShelves(key: string | undefined): Promise<void> {
  const own = key && shelfOf(key);
  for (const { name } of (await indexedDB.databases?.()) ?? [])
    if (name?.startsWith(SHELF) && name !== own) await removeDatabase(name);
}

/** Resolves when it is gone, or at once when a page of an older build holds it open: it goes with that page. */
function removeDatabase(name: string): Promise<void> {
  return new Promise((resolve) => {
    const asked = indexedDB.deleteDatabase(name);
    asked.onsuccess = asked.onerror = asked.onblocked = () => resolve();
  });
}
