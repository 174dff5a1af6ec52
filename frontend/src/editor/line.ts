/**
 * The line of work: one layer of one assignment, from the journal of this browser to the server. Decides which tab may
 * write, restores what a reload or crash left, keeps every change in the journal before it goes out.
 */

import type { Keep } from "./disagreement";
import { type About, type Change, Forgetful, type Keeper, type Restored, type Step, TakenOver, bothOf } from "./keeper";
import { Journal, journalOf } from "./journal";
import { Vault } from "./vault";
import type { Mask } from "./mask";
import type { Merged } from "./merging";
import { decodeMessage } from "./message";
import { Outbox } from "./outbox";
import { Ownership } from "./ownership";
import { type Head, MaskServer, type Outcome } from "./server";
import type { Surroundings } from "./surroundings";
import type { Box, EditorOptions, ReadOnlyReason, SaveState } from "./types";

/** What the line needs of the session. */
export interface LinePort {
  isDrawing(): boolean;
  /** Ends a stroke in progress as if the pointer had been lifted. */
  finishDrawing(): void;
  /** Labels changed by something other than a stroke of this tab. */
  changed(box: Box | null): void;
}

export class Line {
  readonly #server: MaskServer;
  readonly #outbox: Outbox;
  #journal: Keeper | null = null;
  /** What the journal would not take yet: it goes in with the next write, all of it or nothing. */
  #backlog: Change | null = null;
  #ownership: Ownership | null = null;
  #writes: Promise<void> = Promise.resolve();
  #readOnly: ReadOnlyReason | null = "not-loaded";

  constructor(
    private readonly options: EditorOptions,
    private readonly mask: Mask,
    private readonly around: Surroundings,
    private readonly port: LinePort,
  ) {
    this.#server = new MaskServer(options.maskUrl, options.headers, around.fetch);
    this.#outbox = new Outbox({
      mask,
      server: this.#server,
      layer: options.layer,
      shape: options.volume.shapeZyx,
      autosaveMs: options.autosaveMs ?? 600,
      retryMs: around.retryMs,
      isDrawing: () => port.isDrawing(),
      write: (change) => this.#write(change),
      merged: (merged) => {
        port.changed(merged.box);
        around.emit("history", mask.history());
        this.#tellMerged(merged);
      },
      publish: (state) => around.emit("save-state", state),
    });
  }

  /** Opens to write, or read-only where another tab writes. Answers how many strokes came out of the journal unsent. */
  async open(): Promise<number> {
    if (!this.options.editable) return this.#restore(false, "not-editable");
    this.#ownership ??= new Ownership(this.mask.line, this.around.platform, () => this.#yield());
    const owned = await this.#ownership.acquire();
    return this.#restore(owned, "other-tab");
  }

  async takeOver(): Promise<number> {
    await this.#ownership?.takeOver();
    return this.#restore(true, "other-tab");
  }

  async #restore(owned: boolean, otherwise: ReadOnlyReason): Promise<number> {
    const keeper = (this.#journal ??= await this.#openJournal());
    const epoch = owned ? await keeper.claim(this.#about) : 0;
    const read = await keeper.read();
    const { journal, pending, isAnswered } = owned
      ? await this.#sendPending(keeper, read)
      : { journal: read, pending: read.pending, isAnswered: true };
    // While it is unknown whether that save was stored, the head says nothing about who is ahead: open from the
    // journal.
    const head: Outcome<Head> = isAnswered
      ? await this.#server.head()
      : { kind: "unreachable", notBeforeMs: 0, reason: "network" };
    const { restored, change, merged } = await this.#opened(journal, head);
    if (owned) {
      this.mask.claimed(epoch);
      void keeper.tidy().catch(() => undefined);
      this.#readOnly = null;
      if (change) await this.#write({ ...change, state: this.mask.state });
      this.#outbox.start(merged ? null : pending);
      if (head.kind !== "ok") this.#outbox.resume();
    } else {
      this.#readOnly = otherwise;
      this.#outbox.stop(otherwise);
    }
    if (merged) this.#tellMerged(merged);
    return restored;
  }

  /** A save of before the reload or crash: same key, same bytes. Stored before or now, it counts once. */
  async #sendPending(
    keeper: Keeper,
    journal: Restored,
  ): Promise<{ journal: Restored; pending: Restored["pending"]; isAnswered: boolean }> {
    const { pending, state } = journal;
    if (!pending || !state) return { journal, pending, isAnswered: true };
    const outcome = await this.#server.save(pending.body, pending.ifMatch, pending.key);
    switch (outcome.kind) {
      case "ok":
      case "stale": {
        const acked = outcome.kind === "ok" ? { ackedSeq: pending.upTo, ackedRevision: outcome.value } : {};
        const now = { ...state, ...acked };
        await keeper.write({ state: now, pending: null });
        return { journal: { ...journal, state: now }, pending: null, isAnswered: true };
      }
      // Never stored and never will be: what it carried goes out again under another key.
      case "refused":
        return { journal, pending: null, isAnswered: true };
      default:
        return { journal, pending, isAnswered: outcome.kind !== "unreachable" && outcome.kind !== "signed-out" };
    }
  }

  /** The mask from journal and head. Throws where there is neither a head nor a mask in the journal. */
  async #opened(journal: Restored, head: Outcome<Head>): Promise<ReturnType<Mask["restore"]>> {
    const shape = this.options.volume.shapeZyx;
    if (head.kind !== "ok" && !journal.base) throw new Error(head.kind === "unreachable" ? head.reason : head.kind);
    const message = head.kind === "ok" ? await decodeMessage(head.value.bytes, shape) : null;
    const base = journal.base ? await decodeMessage(journal.base, shape) : null;
    return this.mask.restore(journal, base, head.kind === "ok" && message ? { ...head.value, message } : null);
  }

  /** A mask that came otherwise is only looked at: nothing is written or sent. */
  showOnly(): void {
    this.#readOnly = "not-editable";
    this.#outbox.stop("not-editable");
  }

  /** Another tab takes over: the stroke in progress goes into the journal first. */
  async #yield(): Promise<void> {
    if (this.port.isDrawing()) this.port.finishDrawing();
    await this.#writes;
    this.#stop("taken-over");
  }

  #stop(why: ReadOnlyReason): void {
    this.#readOnly = why;
    this.#outbox.stop(why);
  }

  get isWritable(): boolean {
    return this.#readOnly === null;
  }

  /** Throws `read-only: <reason>` where strokes must not change the mask. */
  mustBeWritable(): void {
    const state = this.#outbox.state();
    const why = this.#readOnly ?? (state.kind === "read-only" ? state.reason : null);
    if (why) throw new Error(`read-only: ${why}`);
  }

  /** Keeps a step of the mask: into the journal at once, to the server soon. */
  keep(step: Step): void {
    void this.#write(step.change);
    this.#outbox.changed();
    this.around.emit("history", this.mask.history());
  }

  /** Resolves when everything so far is in the journal. */
  written(): Promise<void> {
    return this.#writes;
  }

  saveState(): SaveState {
    return this.#outbox.state();
  }

  async flush(): Promise<string> {
    await this.#writes;
    return this.#outbox.flush();
  }

  resume(headers: Record<string, string> | null): void {
    if (headers) this.#server.useHeaders(headers);
    this.#outbox.resume();
  }

  /** The reader has decided a conflict. */
  async settle(keep: Keep): Promise<void> {
    const step = this.mask.settle(keep);
    this.keep(step);
    this.port.changed(step.box);
    await this.#writes;
    this.#outbox.settled();
  }

  async close(): Promise<void> {
    this.#outbox.close();
    await this.#writes;
    this.#ownership?.close();
    this.#journal?.close();
  }

  get #about(): About {
    const {
      assignment,
      layer,
      scan,
      maskUrl,
      lpsFromIjk,
      volume: { shapeZyx, spacingMmZyx },
    } = this.options;
    return { assignment, layer, scan, maskUrl, lpsFromIjk, shapeZyx, spacingMmZyx };
  }

  async #openJournal(): Promise<Keeper> {
    try {
      return await Journal.open(
        this.mask.line,
        journalOf(this.options.user, this.around.journalName),
        await Vault.of(this.options.key),
      );
    } catch (error) {
      this.around.emit("keeping", { kind: "memory", why: reasonOf(error) });
      return new Forgetful();
    }
  }

  /**
   * Journal writes go in order; the first that another tab refuses ends the writing of this one. What a full disk
   * refuses goes in with the next one: a journal with a hole would be replayed to another mask.
   */
  #write(change: Change): Promise<void> {
    const write = async (): Promise<void> => {
      const whole = this.#backlog ? bothOf(this.#backlog, change) : change;
      try {
        await this.#journal?.write(whole);
        if (this.#backlog) this.around.emit("keeping", { kind: "journal", why: "" });
        this.#backlog = null;
      } catch (error) {
        if (error instanceof TakenOver) {
          this.#stop("taken-over");
          return;
        }
        if (!this.#backlog) this.around.emit("keeping", { kind: "failing", why: reasonOf(error) });
        this.#backlog = whole;
      }
    };
    return (this.#writes = this.#writes.then(write));
  }

  #tellMerged({ mine, theirs, theirVoxels, overlap }: Merged): void {
    this.around.emit("merged", { mine, theirs, theirVoxels, overlap });
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);
