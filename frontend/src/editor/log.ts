/**
 * What was done to the labels, entry by entry: what undo and redo may need of it, what the server has not confirmed,
 * and what lies in the journal.
 */

import type { Entry } from "./keeper";
import { Composer, type Runs } from "./runs";
import type { Stroke } from "./types";

/** Strokes in one save: the header of a message holds 4 MiB. */
const MOST_STROKES = 4000;

/** An entry with what it did to the labels. */
export interface Logged extends Entry {
  readonly effect: Runs;
  readonly chunks: ReadonlySet<number>;
}

export class Log {
  readonly #undoable = new Map<number, Entry>();
  /** What the server has not confirmed, oldest first. */
  #unsent: Logged[] = [];
  /** Entries that lie in the journal. */
  #kept = new Set<number>();

  get hasUnsent(): boolean {
    return this.#unsent.length > 0;
  }
  get unsentCount(): number {
    return this.#unsent.reduce((sum, entry) => sum + entry.strokes.length, 0);
  }

  add(entry: Logged): void {
    this.#unsent.push(entry);
    this.#kept.add(entry.seq);
  }

  /** Begins anew with what lies in a journal; nothing of it is unsent or undoable yet. */
  begin(kept: readonly Entry[]): void {
    this.#undoable.clear();
    this.#unsent = [];
    this.#kept = new Set(kept.map((entry) => entry.seq));
  }

  /** An entry of the journal turns out to be unsent. */
  wait(entry: Logged): void {
    this.#unsent.push(entry);
  }

  /** Undo or redo may need this entry. */
  remember(entry: Entry): void {
    this.#undoable.set(entry.seq, entry);
  }
  forget(seqs: readonly number[]): void {
    for (const seq of seqs) this.#undoable.delete(seq);
  }
  /** An entry that undo or redo may need. */
  find(seq: number | undefined): Entry | undefined {
    return seq === undefined ? undefined : this.#undoable.get(seq);
  }

  /** Chunks that unsent entries touched. */
  touched(): Set<number> {
    return new Set(this.#unsent.flatMap((entry) => [...entry.chunks]));
  }

  /** The strokes of the next save and its last entry: the oldest ones, as many as fit. */
  next(): { strokes: readonly Stroke[]; upTo: number } {
    const strokes: Stroke[] = [];
    let upTo = 0;
    for (const entry of this.#unsent) {
      if (upTo && strokes.length + entry.strokes.length > MOST_STROKES) break;
      strokes.push(...entry.strokes);
      upTo = entry.seq;
    }
    return { strokes, upTo };
  }

  /** All that is unsent, as one effect with its strokes. */
  unsent(): { effect: Runs; strokes: readonly Stroke[] } {
    const composer = new Composer();
    for (const entry of this.#unsent) composer.add(entry.effect);
    return { effect: composer.total(), strokes: this.#unsent.flatMap((entry) => entry.strokes) };
  }

  /** The server has everything up to this entry. */
  confirm(upTo: number): void {
    this.#unsent = this.#unsent.filter((entry) => entry.seq > upTo);
  }

  /** Entries that undo, redo or a save may need. */
  needed(): Set<number> {
    return new Set([...this.#undoable.keys(), ...this.#unsent.flatMap(({ seq, of }) => [seq, of ?? seq])]);
  }

  /** Lets go of entries of the journal up to `seq` that neither undo nor redo needs, and names them. */
  drop(seq: number): number[] {
    const needed = new Set([...this.#undoable.keys(), ...this.#unsent.map(({ of }) => of)]);
    const dropped = [...this.#kept].filter((one) => one <= seq && !needed.has(one));
    for (const one of dropped) this.#kept.delete(one);
    return dropped;
  }
}
