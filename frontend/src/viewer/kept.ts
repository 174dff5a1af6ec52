/** What waits in this browser's storage until the server has it. */

/** A value under a key; it outlives a reload. A full or closed store keeps it for this page only. */
export class Kept<T> {
  #now: T | null;

  constructor(private readonly key: string, private readonly store: Pick<Storage, "getItem" | "setItem" | "removeItem"> = localStorage) {
    let found: T | null = null;
    try { found = JSON.parse(store.getItem(key) ?? "null") as T | null; } catch { /* unreadable: begin anew */ }
    this.#now = found;
  }

  get value(): T | null { return this.#now; }

  /** null: nothing waits any more. */
  set value(next: T | null) {
    this.#now = next;
    try {
      if (next === null) this.store.removeItem(this.key);
      else this.store.setItem(this.key, JSON.stringify(next));
    } catch { /* it lasts for this page */ }
  }
}
