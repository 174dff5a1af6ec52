/**
 * The mask under work: labels, the log of what changed them, undo and redo, and what the server has of it. All of it
 * is synchronous; each step answers the `Change` that the journal must hold.
 */

import { unite } from "./geometry";
import type { Change, Conflict, Entry, LineState, Restored } from "./journal";
import { Labelmap } from "./labelmap";
import type { MaskMessage } from "./message";
import {
  Composer,
  NO_RUNS,
  type Runs,
  compose,
  decodeRuns,
  encodeRuns,
  invert,
  separate,
  tally,
  voxelsIn,
} from "./runs";
import { type Disagreement, type Keep, disagreementsOf, takeTheirs } from "./disagreement";
import type { Box, HistoryState, Stroke, Zyx } from "./types";
import { uuid } from "./uuid";

const UNDO_DEPTH = 200;
/** Entries since the base of a journal, which an opening without a network replays. */
const LONGEST_JOURNAL = 256;
/** Strokes in one save: the header of a message holds 4 MiB. */
const MOST_STROKES = 4000;

/** An entry with what it did to the labels. */
interface Logged extends Entry {
  readonly effect: Runs;
  readonly chunks: ReadonlySet<number>;
}

export interface Step {
  readonly box: Box | null;
  readonly change: Change;
}
export interface Merged extends Step {
  readonly mine: string;
  readonly theirs: string;
  readonly theirVoxels: number;
  readonly overlap: number;
}

export class Mask {
  readonly labels: Labelmap;
  #state: LineState;
  /** Entries that undo or redo may need. */
  readonly #entries = new Map<number, Entry>();
  /** What the server has not confirmed, oldest first. */
  #unsent: Logged[] = [];
  /** Entries that lie in the journal. */
  #kept = new Set<number>();

  constructor(
    shape: Zyx,
    readonly line: string,
  ) {
    this.labels = new Labelmap(shape);
    this.#state = {
      line,
      epoch: 0,
      baseSeq: 0,
      ackedSeq: 0,
      ackedRevision: "empty",
      lastSeq: 0,
      undo: [],
      redo: [],
      conflict: null,
    };
  }

  get state(): LineState {
    return this.#state;
  }
  get revision(): string {
    return this.#state.ackedRevision;
  }
  get unsentStrokes(): number {
    return this.#unsent.reduce((sum, entry) => sum + entry.strokes.length, 0);
  }
  get hasUnsent(): boolean {
    return this.#unsent.length > 0;
  }

  history(): HistoryState {
    const strokeOf = (seq: number | undefined): Stroke | null =>
      seq === undefined ? null : (this.#entries.get(seq)?.strokes[0] ?? null);
    const { undo, redo } = this.#state;
    return { undo: strokeOf(undo.at(-1)), redo: strokeOf(redo.at(-1)), undoDepth: undo.length, redoDepth: redo.length };
  }

  /** Records a stroke whose runs are already in the labels; `chunks` are those that it touched. */
  record(runs: Runs, stroke: Stroke, chunks: ReadonlySet<number>): Step {
    const entry = this.#log("stroke", null, runs, [stroke], chunks);
    const undo = [...this.#state.undo, entry.seq];
    for (const seq of undo.splice(0, Math.max(0, undo.length - UNDO_DEPTH))) this.#entries.delete(seq);
    for (const seq of this.#state.redo) this.#entries.delete(seq);
    this.#entries.set(entry.seq, entry);
    this.#state = { ...this.#state, undo, redo: [] };
    return { box: null, change: { state: this.#state, add: [plain(entry)] } };
  }

  /** Applies runs and records them as one stroke. */
  commit(runs: Runs, stroke: Stroke): Step {
    const chunks = new Set<number>();
    const box = this.labels.apply(runs, chunks);
    return { ...this.record(runs, stroke, chunks), box };
  }

  undo(at: string): Step | null {
    return this.#repeat("undo", at);
  }
  redo(at: string): Step | null {
    return this.#repeat("redo", at);
  }

  #repeat(kind: "undo" | "redo", at: string): Step | null {
    const from = this.#state[kind];
    const seq = from.at(-1);
    const entry = seq === undefined ? undefined : this.#entries.get(seq);
    if (seq === undefined || !entry) return null;
    const forward = decodeRuns(entry.runs);
    const effect = kind === "undo" ? invert(forward) : forward;
    const chunks = new Set<number>();
    const box = this.labels.apply(effect, chunks);
    const [first] = entry.strokes;
    const counts = kind === "undo" ? { added: first.removed, removed: first.added } : {};
    const stroke: Stroke = { ...first, id: uuid(), tool: kind, params: { of: first.id }, at, ...counts };
    const logged = this.#log(kind, seq, effect, [stroke], chunks);
    const other = kind === "undo" ? "redo" : "undo";
    this.#state = { ...this.#state, [kind]: from.slice(0, -1), [other]: [...this.#state[other], seq] };
    return { box, change: { state: this.#state, add: [plain(logged)] } };
  }

  #log(
    kind: Entry["kind"],
    of: number | null,
    effect: Runs,
    strokes: readonly Stroke[],
    chunks: ReadonlySet<number>,
  ): Logged {
    const runs = of === null ? encodeRuns(effect) : new Uint8Array(0);
    const entry = { line: this.line, seq: this.#state.lastSeq + 1, kind, of, runs, strokes, effect, chunks };
    this.#state = { ...this.#state, lastSeq: entry.seq };
    this.#unsent.push(entry);
    this.#kept.add(entry.seq);
    return entry;
  }

  /** What the next save carries: the chunks that differ from what the server has, and the strokes since. */
  snapshot(): { upTo: number; ifMatch: string; chunks: MaskMessage["chunks"]; strokes: readonly Stroke[] } | null {
    if (this.#unsent.length === 0) return null;
    const chunks = new Set<number>();
    for (const entry of this.#unsent) for (const chunk of entry.chunks) chunks.add(chunk);
    // Without a head on the server every chunk that is not empty is new to it.
    if (this.revision === "empty") for (const chunk of this.labels.occupiedChunks()) chunks.add(chunk);
    const strokes: Stroke[] = [];
    let upTo = 0;
    for (const entry of this.#unsent) {
      if (upTo && strokes.length + entry.strokes.length > MOST_STROKES) break;
      strokes.push(...entry.strokes);
      upTo = entry.seq;
    }
    return { upTo, ifMatch: this.revision, chunks: this.labels.payloads(chunks), strokes };
  }

  /** The server has everything up to `upTo`, as `revision`. */
  acknowledge(upTo: number, revision: string): Change {
    this.#unsent = this.#unsent.filter((entry) => entry.seq > upTo);
    this.#state = { ...this.#state, ackedSeq: Math.max(upTo, this.#state.ackedSeq), ackedRevision: revision };
    return { state: this.#state, pending: null };
  }

  /** A whole mask to lay under the journal, once it has grown long since its base; null while it is short or unsent. */
  outgrown(): { seq: number; chunks: MaskMessage["chunks"] } | null {
    const { lastSeq, baseSeq } = this.#state;
    return this.hasUnsent || lastSeq - baseSeq < LONGEST_JOURNAL
      ? null
      : { seq: lastSeq, chunks: this.labels.payloads(this.labels.occupiedChunks()) };
  }

  /** The journal stands on the mask after entry `seq`; what neither undo nor redo needs of before goes. */
  rebased(seq: number, base: Uint8Array): Change {
    const needed = new Set([...this.#entries.keys(), ...this.#unsent.map((entry) => entry.of)]);
    const drop = [...this.#kept].filter((one) => one <= seq && !needed.has(one));
    for (const one of drop) this.#kept.delete(one);
    this.#state = { ...this.#state, baseSeq: seq };
    return { state: this.#state, base, drop };
  }

  /** Takes the line over from a journal read before `epoch` was claimed. */
  claimed(epoch: number): void {
    this.#state = { ...this.#state, epoch };
  }

  /**
   * Builds the mask that the journal describes on top of `head`, the server's newest, or (offline, `head` null) on the
   * journal's own base. A head that is not the one the journal knows is merged when strokes wait to be sent.
   */
  restore(
    journal: Restored,
    base: MaskMessage | null,
    head: { revision: string; message: MaskMessage; bytes: Uint8Array } | null,
  ): { restored: number; change: Change | null; merged: Merged | null } {
    const state = journal.state ?? this.#state;
    const known = journal.state !== null && state.ackedRevision !== "";
    const unsent = known ? journal.entries.filter((entry) => entry.seq > state.ackedSeq) : [];
    this.#entries.clear();
    this.#unsent = [];
    this.#kept = new Set(journal.entries.map((entry) => entry.seq));
    const bySeq = new Map(journal.entries.map((entry) => [entry.seq, entry]));
    const replay = (after: number): void => {
      for (const entry of journal.entries) {
        if (entry.seq <= after) continue;
        const source = entry.of === null ? entry : bySeq.get(entry.of);
        const runs = source ? decodeRuns(source.runs) : NO_RUNS;
        const effect = entry.kind === "undo" ? invert(runs) : runs;
        const chunks = new Set<number>();
        this.labels.apply(effect, chunks);
        if (entry.seq > state.ackedSeq) this.#unsent.push({ ...entry, effect, chunks });
      }
    };
    const keep = (): void => {
      for (const seq of [...state.undo, ...state.redo]) {
        const entry = bySeq.get(seq);
        if (entry) this.#entries.set(seq, entry);
      }
      this.#state = {
        ...state,
        undo: state.undo.filter((seq) => this.#entries.has(seq)),
        redo: state.redo.filter((seq) => this.#entries.has(seq)),
      };
    };
    if (!head) {
      if (!known || !base) throw new Error("nothing to open: the server does not answer and the journal is empty");
      this.labels.load(base);
      keep();
      replay(state.baseSeq);
      return { restored: this.unsentStrokes, change: null, merged: null };
    }
    if (known && state.ackedRevision === head.revision) {
      this.labels.load(head.message);
      keep();
      replay(state.ackedSeq);
      const needed = new Set([
        ...this.#entries.keys(),
        ...this.#unsent.flatMap((entry) => [entry.seq, entry.of ?? entry.seq]),
      ]);
      this.#state = { ...this.#state, baseSeq: state.ackedSeq };
      const drop = journal.entries.filter((entry) => !needed.has(entry.seq)).map((entry) => entry.seq);
      return { restored: this.unsentStrokes, change: { state: this.#state, base: head.bytes, drop }, merged: null };
    }
    if (unsent.length > 0 && base) {
      this.labels.load(base);
      keep();
      replay(state.baseSeq);
      const restored = this.unsentStrokes;
      const merged = this.merge(head);
      return { restored, change: merged.change, merged };
    }
    this.labels.load(head.message);
    this.#state = {
      ...state,
      baseSeq: state.lastSeq,
      ackedSeq: state.lastSeq,
      ackedRevision: head.revision,
      undo: [],
      redo: [],
      conflict: null,
    };
    const drop = journal.entries.map((entry) => entry.seq);
    return { restored: 0, change: { state: this.#state, base: head.bytes, drop, pending: null }, merged: null };
  }

  /**
   * Another save came first. Theirs comes in where nothing here changed; where both changed, mine stays and the
   * overlap is kept for the reader to decide. It is one stroke (`merge`), so one undo takes it back; the unsent work
   * is rebased on their revision.
   */
  merge(head: { revision: string; message: MaskMessage; bytes: Uint8Array }): Merged {
    const mineName = this.revision;
    const composer = new Composer();
    for (const entry of this.#unsent) composer.add(entry.effect);
    const mine = composer.total();
    const scratch = new Set<number>();
    this.labels.apply(invert(mine), scratch);
    const theirs = this.labels.differenceTo(head.message);
    this.labels.apply(mine, scratch);
    const { apart, overlap } = separate(theirs, mine);
    const strokes = this.#unsent.flatMap((entry) => entry.strokes);
    const add: Entry[] = [];
    let box: Box | null = null;
    if (apart.count > 0) {
      const counts = tally(apart);
      const stroke: Stroke = {
        id: uuid(),
        tool: "merge",
        segment: 0,
        ijk: [0, 0, 0],
        radius_mm: 0,
        params: { revision: head.revision },
        ...counts,
        at: new Date().toISOString(),
      };
      const step = this.commit(apart, stroke);
      add.push(...(step.change.add ?? []));
      box = step.box;
    }
    const net = compose(compose(invert(theirs), mine), apart);
    const chunks = new Set<number>();
    // The labels already hold it: run it back and forth to learn its chunks.
    this.labels.apply(invert(net), chunks);
    this.labels.apply(net, chunks);
    const ackedSeq = this.#state.lastSeq;
    this.#unsent = [];
    if (net.count > 0 || strokes.length > 0) add.push(plain(this.#log("rebase", null, net, strokes, chunks)));
    const overlapVoxels = voxelsIn(overlap);
    const conflict: Conflict | null = overlapVoxels
      ? { mine: mineName, theirs: head.revision, overlap: encodeRuns(overlap) }
      : null;
    this.#state = { ...this.#state, ackedSeq, baseSeq: ackedSeq, ackedRevision: head.revision, conflict };
    const change: Change = { state: this.#state, add, base: head.bytes, pending: null };
    return { box, change, mine: mineName, theirs: head.revision, theirVoxels: voxelsIn(apart), overlap: overlapVoxels };
  }

  /** Where both had changed voxels to different labels, region by region. */
  disagreements(voxelMl: number): Disagreement[] {
    const { conflict } = this.#state;
    return conflict ? disagreementsOf(decodeRuns(conflict.overlap), this.labels.shape, voxelMl) : [];
  }

  /**
   * The reader has decided: where theirs was chosen it is taken, as one undoable stroke. The stroke names both versions
   * (`params.parents`), also where nothing of theirs was taken.
   */
  settle(keep: Keep): Step {
    const { conflict } = this.#state;
    this.#state = { ...this.#state, conflict: null };
    if (!conflict) return { box: null, change: { state: this.#state } };
    const theirs = (region: number): boolean => (typeof keep === "string" ? keep : keep[region]) === "theirs";
    const overlap = decodeRuns(conflict.overlap);
    const runs = takeTheirs(overlap, this.labels.shape, theirs, this.labels.data);
    const stroke: Stroke = {
      id: uuid(),
      tool: "merge",
      segment: 0,
      ijk: [0, 0, 0],
      radius_mm: 0,
      ...tally(runs),
      at: new Date().toISOString(),
      params: {
        revision: conflict.theirs,
        parents: [conflict.theirs, conflict.mine],
        theirs: voxelsIn(runs),
        differed: voxelsIn(overlap),
      },
    };
    if (runs.count > 0) return this.commit(runs, stroke);
    const logged = this.#log("rebase", null, NO_RUNS, [stroke], new Set());
    return { box: null, change: { state: this.#state, add: [plain(logged)] } };
  }

  /** The box of the voxels that both changed; for pointing at them. */
  conflictBox(): { overlap: number; box: Box } | null {
    const found = this.disagreements(0);
    const box = found.reduce<Box | null>((sum, one) => unite(sum, one.box), null);
    return box && { overlap: found.reduce((sum, one) => sum + one.voxels, 0), box };
  }
}

function plain({ line, seq, kind, of, runs, strokes }: Entry): Entry {
  return { line, seq, kind, of, runs, strokes };
}
