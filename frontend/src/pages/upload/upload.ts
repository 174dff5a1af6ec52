/** What the upload page does: open the key, judge what was chosen, save the key, send. Each part is shown as it is. */

import { type ReadonlySignal, signal } from "@preact/signals";
import type { Chosen } from "../../deidentify/calls";
import { Client } from "../../deidentify/client";
import { Refusal } from "../../deidentify/refusal";
import type { Judged } from "../../deidentify/series";
import { Problem } from "../../ground/api";
import { isNifti } from "./picking";
import { rowOfFile, rowOfSeries, type Row } from "./row";
import { Sending } from "./sending";
import { userOf } from "./server";

/** What the page is busy with, as a share of so many files. */
export interface Busy {
  readonly says: string;
  readonly done: number;
  readonly of: number;
}

/** A code and a sentence for a person. */
export interface Fault {
  readonly code: string;
  readonly says: string;
}

export class Upload {
  readonly #client = new Client();
  readonly #isOpen = signal(false);
  readonly #chosen = signal<readonly Chosen[]>([]);
  readonly #judged = signal<Judged | null>(null);
  readonly #rows = signal<readonly Row[]>([]);
  readonly #busy = signal<Busy | null>(null);
  readonly #fault = signal<Fault | null>(null);
  readonly #mustSave = signal(false);
  readonly #sending = signal<AbortController | null>(null);
  #site = "";
  #campaign = "";

  get isOpen(): ReadonlySignal<boolean> {
    return this.#isOpen;
  }

  get chosen(): ReadonlySignal<readonly Chosen[]> {
    return this.#chosen;
  }

  get judged(): ReadonlySignal<Judged | null> {
    return this.#judged;
  }

  get rows(): ReadonlySignal<readonly Row[]> {
    return this.#rows;
  }

  get busy(): ReadonlySignal<Busy | null> {
    return this.#busy;
  }

  get fault(): ReadonlySignal<Fault | null> {
    return this.#fault;
  }

  get mustSave(): ReadonlySignal<boolean> {
    return this.#mustSave;
  }

  get isSending(): boolean {
    return this.#sending.value !== null;
  }

  /** Whether leaving the page now loses something. */
  get holdsSomething(): boolean {
    return this.#mustSave.peek() || this.#sending.peek() !== null;
  }

  /** Where it goes; files that were judged for another campaign are judged again, by its own key. */
  async aim(site: string, campaign: string): Promise<void> {
    const isOther = campaign !== this.#campaign;
    [this.#site, this.#campaign] = [site, campaign];
    if (isOther) await this.#judge();
  }

  /** Open a key file, or make a new one. Answers whether it is open. */
  async open(file: File | null, passphrase: string): Promise<boolean> {
    await this.#do("Opening the key file", async () => {
      const text = file === null ? null : await file.text();
      await this.#client.ask("open", { text, passphrase });
      this.#isOpen.value = true;
    });
    if (this.#isOpen.value) await this.#judge();
    return this.#isOpen.value;
  }

  /** Take other files than before. */
  async choose(files: readonly Chosen[]): Promise<void> {
    this.#chosen.value = [...files].sort((a, b) => (a.name < b.name ? -1 : 1));
    await this.#judge();
  }

  /** The key file as it must be kept before anything is sent. */
  async keyFile(): Promise<Blob | null> {
    return this.#do("Sealing the key file", async () => {
      const text = await this.#client.ask("seal", {});
      this.#mustSave.value = false;
      return new Blob([text], { type: "application/json" });
    });
  }

  async send(): Promise<void> {
    if (this.#mustSave.value || this.#sending.value) return;
    const control = new AbortController();
    this.#sending.value = control;
    this.#fault.value = null;
    const to = { site: this.#site, campaign: this.#campaign, user: userOf(document) };
    const sending = new Sending(this.#client, to, (row) => this.#replace(row), control.signal);
    try {
      await sending.send(this.#rows.value);
    } catch (error) {
      if (!control.signal.aborted) this.#fault.value = faultOf(error);
    } finally {
      this.#sending.value = null;
      this.#rows.value = this.#rows.value.map((row) =>
        row.state === "working" ? { ...row, state: "ready", share: 0, says: "" } : row,
      );
    }
  }

  cancel(): void {
    this.#sending.value?.abort(new DOMException("Cancelled", "AbortError"));
  }

  async #judge(): Promise<void> {
    const files = this.#chosen.value;
    const nifti = files.filter(isNifti).map(rowOfFile);
    const others = files.filter((file) => !isNifti(file));
    this.#judged.value = null;
    this.#rows.value = nifti;
    this.#mustSave.value = false;
    if (!others.length || !this.#isOpen.value) return;
    await this.#do("Reading the files", async (tell) => {
      const judged = await this.#client.ask("judge", { files: others, campaign: this.#campaign }, tell);
      const found = judged.series.map(rowOfSeries);
      const ids = judged.series.filter(({ files: count }) => count > 0).map(({ id }) => id);
      // Whose code is whose is kept before anything leaves.
      this.#mustSave.value = ids.length > 0 && (await this.#client.ask("note", { ids }));
      this.#judged.value = judged;
      this.#rows.value = [...found, ...nifti];
    });
  }

  #replace(row: Row): void {
    this.#rows.value = this.#rows.value.map((other) => (other.id === row.id ? row : other));
  }

  async #do<T>(says: string, act: (tell: (done: number, of: number) => void) => Promise<T>): Promise<T | null> {
    this.#fault.value = null;
    this.#busy.value = { says, done: 0, of: 0 };
    try {
      return await act((done, of) => {
        this.#busy.value = { says, done, of };
      });
    } catch (error) {
      this.#fault.value = faultOf(error);
      return null;
    } finally {
      this.#busy.value = null;
    }
  }
}

function faultOf(error: unknown): Fault {
  if (error instanceof Refusal || error instanceof Problem) return { code: error.code, says: error.message };
  return { code: "page_failed", says: "Something went wrong in this page; reload it and choose the files again." };
}
