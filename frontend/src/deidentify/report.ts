/** What became of the attributes: counts by class, never a value. */

import { CLASS_OF } from "./tables";

export type Outcome = "kept" | "changed" | "removed";
export type Counts = Readonly<Record<Outcome, number>>;

export class Report {
  readonly #counts = new Map<string, Record<Outcome, number>>();

  add(name: string, outcome: Outcome, times = 1): void {
    const counts = this.#counts.get(name) ?? { kept: 0, changed: 0, removed: 0 };
    counts[outcome] += times;
    this.#counts.set(name, counts);
  }

  /** The counts by class, in order of their names. */
  get classes(): Readonly<Record<string, Counts>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** The class of an attribute that is not listed (PS3.5 7.6, 7.8; PS3.6). */
export function classOf(tag: number): string {
  const group = tag >>> 16;
  if (group % 2) return "private tags";
  if ((group & 0xff00) === 0x6000) return "overlays";
  if ((group & 0xff00) === 0x5000) return "curves";
  if (group <= 0x0002) return "file meta";
  return CLASS_OF.get(tag) ?? "unknown tags";
}
