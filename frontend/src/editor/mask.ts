/**
 * The mask under work: labels, the log of what changed them, undo and redo, and what the server has of it. All of it
 * is synchronous; each step answers the `Change` that the journal must hold.
 */

import { type Accepted, AcceptedLesions } from "./accepted";
import { unite } from "./geometry";
import { type Change, type Conflict, type Entry, type LineState, type Restored, type Step, plain } from "./keeper";
import { Labelmap } from "./labelmap";
import { Log, type Logged } from "./log";
import { type Merged, changesOf, mergeStroke } from "./merging";
import type { MaskMessage } from "./message";
import { NO_RUNS, type Runs, compose, decodeRuns, encodeRuns, invert, voxelsIn } from "./runs";
import { type Disagreement, type Keep, disagreementsOf, takeTheirs } from "./disagreement";
import type { Box, HistoryState, Stroke, Zyx } from "./types";
import { uuid } from "./uuid";

const UNDO_DEPTH = 200;
/** Entries since the base of a journal, which an opening without a network replays. */
const LONGEST_JOURNAL = 256;

export class Mask {
  readonly labels: Labelmap;
  #state: LineState;
  readonly #log = new Log();
  /** Proposed lesions that the reader accepted. */
  readonly accepted = new AcceptedLesions();

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
    return this.#log.unsentCount;
  }
  get hasUnsent(): boolean {
    return this.#log.hasUnsent;
  }

  history(): HistoryState {
    const strokeOf = (seq: number | undefined): Stroke | null => this.#log.find(seq)?.strokes[0] ?? null;
    const { undo, redo } = this.#state;
    return { undo: strokeOf(undo.at(-1)), redo: strokeOf(redo.at(-1)), undoDepth: undo.length, redoDepth: redo.length };
  }

  /** Records a stroke whose runs are already in the labels; `chunks` are those that it touched. */
  record(runs: Runs, stroke: Stroke, chunks: ReadonlySet<number>): Step {
    const entry = this.#add("stroke", null, runs, [stroke], chunks);
    const undo = [...this.#state.undo, entry.seq];
    this.#log.forget([...undo.splice(0, Math.max(0, undo.length - UNDO_DEPTH)), ...this.#state.redo]);
    this.#log.remember(entry);
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
    const entry = this.#log.find(seq);
    const first = entry?.strokes[0];
    if (seq === undefined || !entry || !first) return null;
    const forward = decodeRuns(entry.runs);
    const effect = kind === "undo" ? invert(forward) : forward;
    const chunks = new Set<number>();
    const box = this.labels.apply(effect, chunks);
    const counts = kind === "undo" ? { added: first.removed, removed: first.added } : {};
    const stroke: Stroke = { ...first, id: uuid(), tool: kind, params: { of: first.id }, at, ...counts };
    const logged = this.#add(kind, seq, effect, [stroke], chunks);
    const other = kind === "undo" ? "redo" : "undo";
    this.#state = { ...this.#state, [kind]: from.slice(0, -1), [other]: [...this.#state[other], seq] };
    return { box, change: { state: this.#state, add: [plain(logged)] } };
  }

  #add(
    kind: Entry["kind"],
    of: number | null,
    effect: Runs,
    strokes: readonly Stroke[],
    chunks: ReadonlySet<number>,
  ): Logged {
    const runs = of === null ? encodeRuns(effect) : new Uint8Array(0);
    const entry = { line: this.line, seq: this.#state.lastSeq + 1, kind, of, runs, strokes, effect, chunks };
    this.#state = { ...this.#state, lastSeq: entry.seq };
    this.#log.add(entry);
    this.accepted.note(strokes);
    return entry;
  }

  /** What the next save carries: the chunks that differ from what the server has, and the strokes since. */
  snapshot(): { upTo: number; ifMatch: string; chunks: MaskMessage["chunks"]; strokes: readonly Stroke[] } | null {
    if (!this.hasUnsent) return null;
    const chunks = this.#log.touched();
    // Without a head on the server every chunk that is not empty is new to it.
    if (this.revision === "empty") for (const chunk of this.labels.occupiedChunks()) chunks.add(chunk);
    return { ...this.#log.next(), ifMatch: this.revision, chunks: this.labels.payloads(chunks) };
  }

  /** The server has everything up to `upTo`, as `revision`. */
  acknowledge(upTo: number, revision: string): Change {
    this.#log.confirm(upTo);
    this.#state = { ...this.#state, ackedSeq: Math.max(upTo, this.#state.ackedSeq), ackedRevision: revision };
    return { state: this.#state, pending: null };
  }

  /** A whole mask to lay under the journal, once it has grown long since its base; null while it is short or unsent. */
  outgrown(): { seq: number; chunks: MaskMessage["chunks"]; accepted: readonly Accepted[] } | null {
    const { lastSeq, baseSeq } = this.#state;
    return this.hasUnsent || lastSeq - baseSeq < LONGEST_JOURNAL
      ? null
      : {
          seq: lastSeq,
          chunks: this.labels.payloads(this.labels.occupiedChunks()),
          accepted: this.accepted.list(),
        };
  }

  /** The journal stands on the mask after entry `seq`; what neither undo nor redo needs of before goes. */
  rebased(seq: number, base: Uint8Array): Change {
    this.#state = { ...this.#state, baseSeq: seq };
    return { state: this.#state, base, drop: this.#log.drop(seq) };
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
    this.#log.begin(journal.entries);
    if (!head) {
      if (!known || !base) throw new Error("nothing to open: the server does not answer and the journal is empty");
      this.#replay(journal, state, base, state.baseSeq);
      return { restored: this.unsentStrokes, change: null, merged: null };
    }
    if (known && state.ackedRevision === head.revision) {
      this.#replay(journal, state, head.message, state.ackedSeq);
      this.#state = { ...this.#state, baseSeq: state.ackedSeq };
      const needed = this.#log.needed();
      const drop = journal.entries.filter((entry) => !needed.has(entry.seq)).map((entry) => entry.seq);
      return { restored: this.unsentStrokes, change: { state: this.#state, base: head.bytes, drop }, merged: null };
    }
    if (base && known && journal.entries.some((entry) => entry.seq > state.ackedSeq)) {
      this.#replay(journal, state, base, state.baseSeq);
      const restored = this.unsentStrokes;
      const merged = this.merge(head);
      return { restored, change: merged.change, merged };
    }
    this.#load(head.message);
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

  #load(mask: MaskMessage): void {
    this.labels.load(mask);
    this.accepted.load(mask.accepted ?? []);
  }

  /** Lays what the journal holds after entry `after` on a mask; undo and redo reach as far as it does. */
  #replay({ entries }: Restored, state: LineState, mask: MaskMessage, after: number): void {
    this.#load(mask);
    const bySeq = new Map(entries.map((entry) => [entry.seq, entry]));
    const [undo, redo] = [state.undo.filter((seq) => bySeq.has(seq)), state.redo.filter((seq) => bySeq.has(seq))];
    for (const entry of entries) if (undo.includes(entry.seq) || redo.includes(entry.seq)) this.#log.remember(entry);
    this.#state = { ...state, undo, redo };
    for (const entry of entries) {
      if (entry.seq <= after) continue;
      const source = entry.of === null ? entry : bySeq.get(entry.of);
      const runs = source ? decodeRuns(source.runs) : NO_RUNS;
      const effect = entry.kind === "undo" ? invert(runs) : runs;
      const chunks = new Set<number>();
      this.labels.apply(effect, chunks);
      this.accepted.note(entry.strokes);
      if (entry.seq > state.ackedSeq) this.#log.wait({ ...entry, effect, chunks });
    }
  }

  /**
   * Another save came first. Theirs comes in where nothing here changed; where both changed, mine stays and the
   * overlap is kept for the reader to decide. It is one stroke (`merge`), so one undo takes it back; the unsent work
   * is rebased on their revision.
   */
  merge(head: { revision: string; message: MaskMessage; bytes: Uint8Array }): Merged {
    const mineName = this.revision;
    const { effect: mine, strokes } = this.#log.unsent();
    this.accepted.load(head.message.accepted ?? []);
    this.accepted.note(strokes);
    const { theirs, apart, overlap } = changesOf(head.message, this.labels, mine);
    const add: Entry[] = [];
    let box: Box | null = null;
    if (apart.count > 0) {
      const step = this.commit(apart, mergeStroke(apart, { revision: head.revision }));
      add.push(...(step.change.add ?? []));
      box = step.box;
    }
    const net = compose(compose(invert(theirs), mine), apart);
    const chunks = new Set<number>();
    // The labels already hold it: run it back and forth to learn its chunks.
    this.labels.apply(invert(net), chunks);
    this.labels.apply(net, chunks);
    const ackedSeq = this.#state.lastSeq;
    this.#log.confirm(ackedSeq);
    if (net.count > 0 || strokes.length > 0) add.push(plain(this.#add("rebase", null, net, strokes, chunks)));
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
    const stroke = mergeStroke(runs, {
      revision: conflict.theirs,
      parents: [conflict.theirs, conflict.mine],
      theirs: voxelsIn(runs),
      differed: voxelsIn(overlap),
    });
    if (runs.count > 0) return this.commit(runs, stroke);
    const logged = this.#add("rebase", null, NO_RUNS, [stroke], new Set());
    return { box: null, change: { state: this.#state, add: [plain(logged)] } };
  }

  /** The box of the voxels that both changed; for pointing at them. */
  conflictBox(): { overlap: number; box: Box } | null {
    const found = this.disagreements(0);
    const box = found.reduce<Box | null>((sum, one) => unite(sum, one.box), null);
    return box && { overlap: found.reduce((sum, one) => sum + one.voxels, 0), box };
  }
}
