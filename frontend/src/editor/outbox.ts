/**
 * Brings the journal to the server: a save some time after the last stroke, one under way at a time, sent again with
 * the same key and bytes until it is answered. Never touches the labels except to merge another reader's save.
 */

import type { Change, Pending } from "./keeper";
import type { Mask } from "./mask";
import type { Merged } from "./merging";
import { decodeMessage, gzip, layOut } from "./message";
import type { MaskServer } from "./server";
import type { ReadOnlyReason, SaveState, Zyx } from "./types";
import { uuid } from "./uuid";

export interface OutboxPort {
  readonly mask: Mask;
  readonly server: MaskServer;
  readonly layer: string;
  readonly shape: Zyx;
  readonly autosaveMs: number;
  /** First pause before another try; doubles up to 30 s. */
  readonly retryMs: number;
  /** A stroke in progress is not sent. */
  isDrawing(): boolean;
  write(change: Change): Promise<void>;
  merged(merged: Merged): void;
  publish(state: SaveState): void;
}

type Phase =
  | { readonly kind: "idle" }
  | { readonly kind: "sending" }
  | { readonly kind: "offline"; readonly reason: string; readonly retryInMs: number }
  | { readonly kind: "conflict" }
  | { readonly kind: "signed-out" }
  | { readonly kind: "refused"; readonly code: string; readonly detail: string }
  | { readonly kind: "closed" }
  | { readonly kind: "read-only"; readonly reason: ReadOnlyReason };

const LONGEST_PAUSE_MS = 30_000;
/** However fast the strokes come, none waits longer than this for its save. */
const LONGEST_WAIT_MS = 3_000;

export class Outbox {
  #phase: Phase = { kind: "idle" };
  #pending: Pending | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #attempt = 0;
  #firstUnsentAt: number | null = null;
  #savedAt: string | null = null;
  #waiters: { resolve: (revision: string) => void; reject: (why: Error) => void }[] = [];

  constructor(private readonly port: OutboxPort) {}

  state(): SaveState {
    const { mask } = this.port;
    const unsent = mask.unsentStrokes;
    const phase = this.#phase;
    switch (phase.kind) {
      case "read-only":
        return { kind: "read-only", reason: phase.reason, unsent };
      case "signed-out":
        return { kind: "signed-out", unsent };
      case "refused":
        return { kind: "refused", unsent, code: phase.code, detail: phase.detail };
      case "offline":
        return { kind: "offline", unsent, reason: phase.reason, retryInMs: phase.retryInMs };
      case "sending":
        return { kind: "saving", unsent };
      case "conflict": {
        const found = mask.conflictBox(),
          { conflict } = mask.state;
        if (found && conflict)
          return { kind: "conflict", unsent, mine: conflict.mine, theirs: conflict.theirs, ...found };
        return { kind: "unsaved", unsent };
      }
      case "closed":
      case "idle":
        return mask.hasUnsent
          ? { kind: "unsaved", unsent }
          : { kind: "saved", revision: mask.revision, at: this.#savedAt };
    }
  }

  /** Starts with what the journal held; a save that was under way goes out again first. */
  start(pending: Pending | null): void {
    this.#pending = pending;
    this.#enter({ kind: this.port.mask.state.conflict ? "conflict" : "idle" });
    this.changed();
  }

  /** Something new waits to be sent. */
  changed(): void {
    if (this.#phase.kind === "idle" && (this.#pending || this.port.mask.hasUnsent)) {
      this.#firstUnsentAt ??= Date.now();
      const left = this.#firstUnsentAt + LONGEST_WAIT_MS - Date.now();
      this.#schedule(Math.max(0, Math.min(this.port.autosaveMs, left)));
    }
    this.#publish();
  }

  /** Sends now; resolves once the server has everything. */
  flush(): Promise<string> {
    const { mask } = this.port;
    if (!mask.hasUnsent && !this.#pending && this.#phase.kind !== "sending") return Promise.resolve(mask.revision);
    if (["conflict", "signed-out", "refused", "read-only", "closed"].includes(this.#phase.kind))
      return Promise.reject(new Error(this.#phase.kind));
    const done = new Promise<string>((resolve, reject) => this.#waiters.push({ resolve, reject }));
    this.#attempt = 0;
    if (this.#phase.kind !== "sending") this.#schedule(0);
    return done;
  }

  /** Tries again at once: after a log-in, a new lease, or when the network is back. */
  resume(): void {
    if (this.#phase.kind === "sending" || this.#phase.kind === "conflict" || this.#phase.kind === "closed") return;
    if (this.#phase.kind === "read-only" && this.#phase.reason !== "lease-lost") return;
    this.#attempt = 0;
    this.#enter({ kind: "idle" });
    this.#schedule(0);
  }

  settled(): void {
    if (this.#phase.kind === "conflict") this.#enter({ kind: "idle" });
    this.changed();
  }

  /** No more saves from this tab; what is unsent lies in the journal. */
  stop(reason: ReadOnlyReason): void {
    this.#enter({ kind: "read-only", reason });
    this.#fail(reason);
  }

  /** Leaves whatever is under way to the journal: the next opening sends it again. */
  close(): void {
    this.#phase = { kind: "closed" };
    if (this.#timer) clearTimeout(this.#timer);
    this.#fail("closed");
  }

  #schedule(ms: number): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#send();
    }, ms);
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    if (this.#timer) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
    this.#publish();
  }

  #publish(): void {
    this.port.publish(this.state());
  }

  async #send(): Promise<void> {
    const { mask, port } = { mask: this.port.mask, port: this.port };
    if (this.#phase.kind !== "idle" && this.#phase.kind !== "offline") return;
    if (!this.#pending && port.isDrawing()) {
      this.#schedule(port.autosaveMs);
      return;
    }
    let pending = this.#pending;
    const snapshot = pending ? null : mask.snapshot();
    if (!pending && !snapshot) {
      this.#settle();
      return;
    }
    this.#enter({ kind: "sending" });
    try {
      if (snapshot) {
        const body = await gzip(layOut(port.layer, port.shape, snapshot.chunks, snapshot.strokes));
        pending = { key: uuid(), upTo: snapshot.upTo, ifMatch: snapshot.ifMatch, body };
        this.#pending = pending;
        await port.write({ state: mask.state, pending });
      }
      if (!this.#isSending() || !pending) return;
      await this.#deliver(pending);
    } catch (error) {
      // The journal refused (another tab took over: `stop` was called) or something unforeseen: nothing is lost by
      // waiting.
      if (this.#isSending()) this.#retryLater(error instanceof Error ? error.name : "unknown");
    }
  }

  async #deliver(pending: Pending): Promise<void> {
    const { mask, port } = { mask: this.port.mask, port: this.port };
    const outcome = await port.server.save(pending.body, pending.ifMatch, pending.key);
    if (!this.#isSending()) return;
    switch (outcome.kind) {
      case "ok":
        this.#pending = null;
        this.#attempt = 0;
        this.#savedAt = new Date().toISOString();
        await port.write(mask.acknowledge(pending.upTo, outcome.value));
        await this.#shorten();
        if (this.#isSending()) this.#settle();
        return;
      case "stale":
        return this.#mergeHead();
      case "signed-out":
        this.#fail("signed-out");
        return this.#enter({ kind: "signed-out" });
      case "lease-lost":
        return this.stop("lease-lost");
      case "not-editable":
        return this.stop("not-editable");
      case "refused":
        // Nothing of it was stored: the next try may carry other bytes under a key of its own.
        this.#pending = null;
        await port.write({ state: mask.state, pending: null });
        this.#fail(outcome.detail);
        return this.#enter({ kind: "refused", code: outcome.code, detail: outcome.detail });
      case "unreachable":
        return this.#retryLater(outcome.reason, outcome.notBeforeMs);
    }
  }

  /** However many strokes a day brings, the journal stays as short as its first ones. */
  async #shorten(): Promise<void> {
    const { mask, port } = { mask: this.port.mask, port: this.port };
    const long = mask.outgrown();
    if (!long) return;
    const base = await gzip(layOut(port.layer, port.shape, long.chunks, [], long.accepted));
    await port.write(mask.rebased(long.seq, base));
  }

  async #mergeHead(): Promise<void> {
    const { port } = this;
    const head = await port.server.head();
    if (!this.#isSending()) return;
    if (head.kind === "unreachable") return this.#retryLater(head.reason, head.notBeforeMs);
    if (head.kind !== "ok") return this.#retryLater(head.kind);
    const message = await decodeMessage(head.value.bytes, port.shape);
    if (port.isDrawing()) return this.#retryLater("drawing");
    const merged = port.mask.merge({ ...head.value, message });
    this.#pending = null;
    port.merged(merged);
    await port.write(merged.change);
    if (!this.#isSending()) return;
    if (merged.overlap > 0) {
      this.#fail("conflict");
      this.#enter({ kind: "conflict" });
    } else this.#settle();
  }

  #isSending(): boolean {
    return this.#phase.kind === "sending";
  }

  /** Not all browsers at once: each waits a little more or less, and none less than the server wants. */
  #retryLater(reason: string, notBeforeMs = 0): void {
    const pause =
      Math.max(notBeforeMs, Math.min(LONGEST_PAUSE_MS, this.port.retryMs * 2 ** this.#attempt++)) *
      (1 + Math.random() / 2);
    this.#enter({ kind: "offline", reason, retryInMs: Math.round(pause) });
    this.#schedule(pause);
  }

  #settle(): void {
    this.#enter({ kind: "idle" });
    this.#firstUnsentAt = null;
    if (this.port.mask.hasUnsent) {
      if (this.#waiters.length) this.#schedule(0);
      else this.changed();
      return;
    }
    const { revision } = this.port.mask;
    for (const { resolve } of this.#waiters.splice(0)) resolve(revision);
  }

  #fail(why: string): void {
    for (const { reject } of this.#waiters.splice(0)) reject(new Error(why));
  }
}
