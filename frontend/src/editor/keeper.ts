/** What is kept of a line of work until the server has it, and who keeps it. */

import type { Shape } from "../ground/check";
import type { Box, Keeping, Matrix, Stroke, Zyx } from "./types";

export interface Entry {
  readonly line: string;
  readonly seq: number;
  /** `undo` and `redo` repeat the runs of entry `of`; `rebase` carries unsent strokes over to another base. */
  readonly kind: "stroke" | "undo" | "redo" | "rebase";
  readonly of: number | null;
  readonly runs: Uint8Array;
  readonly strokes: readonly Stroke[];
}

export interface Conflict {
  readonly mine: string;
  readonly theirs: string;
  readonly overlap: Uint8Array;
}

/** What a line of work is: enough to name it, to send it, and to write it as a file without its page. */
export interface About {
  readonly assignment: string;
  readonly layer: string;
  readonly scan: string;
  readonly maskUrl: string;
  readonly shapeZyx: Zyx;
  readonly spacingMmZyx: Zyx;
  readonly lpsFromIjk: Matrix;
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
  readonly at?: number | undefined;
}

/** A save under way: sent again with the same key and the same bytes until it is answered. */
export interface Pending {
  readonly key: string;
  readonly upTo: number;
  readonly ifMatch: string;
  readonly body: Uint8Array;
}

/** What is sealed of each, as it is read back; voxels are checked by who decodes them. */
export const LINE_SHAPE: Shape<Pick<LineState, "about" | "undo" | "redo" | "conflict">> =
  "about?:About undo redo:[i conflict:?Conflict";
export const ENTRY_SHAPE: Shape<Omit<Entry, "line" | "seq">> = "kind:=stroke/undo/redo/rebase of:?i runs:* strokes:[*";
export const PENDING_SHAPE: Shape<Pending> = "key ifMatch:s upTo:i body:*";
export const PARTS = {
  About: "assignment layer scan maskUrl:s shapeZyx:3i spacingMmZyx:3n lpsFromIjk:[[n",
  Conflict: "mine theirs:s overlap:*",
};

/** Another tab has taken the line over; nothing was written. */
export class TakenOver extends Error {}

export interface Restored {
  readonly state: LineState | null;
  readonly entries: Entry[];
  readonly base: Uint8Array | null;
  readonly pending: Pending | null;
}

export interface Change {
  readonly state: LineState;
  readonly add?: readonly Entry[];
  readonly drop?: readonly number[];
  readonly base?: Uint8Array | undefined;
  /** null removes it. */
  readonly pending?: Pending | null | undefined;
}

/** What one step did to the labels, and what the journal must hold of it. */
export interface Step {
  readonly box: Box | null;
  readonly change: Change;
}

/** An entry as it is kept. */
export function plain({ line, seq, kind, of, runs, strokes }: Entry): Entry {
  return { line, seq, kind, of, runs, strokes };
}

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
  read(): Promise<Restored> {
    return Promise.resolve({ state: null, entries: [], base: null, pending: null });
  }
  claim(): Promise<number> {
    return Promise.resolve(1);
  }
  write(): Promise<void> {
    return Promise.resolve();
  }
  tidy(): Promise<void> {
    return Promise.resolve();
  }
  close(): void {
    /* nothing is open */
  }
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
