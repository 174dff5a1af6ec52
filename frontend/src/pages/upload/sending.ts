/** Send rows one after the other: each packed, sent, noted, and waited for. A cut line is waited for, too. */

import type { Client } from "../../deidentify/client";
import { askAgain, isLineGone } from "../../ground/again";
import { Problem } from "../../ground/api";
import { Journal, type Made } from "./journal";
import type { Row } from "./row";
import { type Ended, ended, upload } from "./server";

/** Where it goes, and by whom. */
export interface Target {
  readonly site: string;
  readonly campaign: string;
  readonly user: string;
}

/** Refusals that the next row would meet, too. */
const CUT_SHORT = new Set(["not_authenticated", "csrf_failed", "forbidden", "not_found"]);

export class Sending {
  readonly #journal: Journal;

  constructor(
    private readonly client: Client,
    private readonly to: Target,
    private readonly show: (row: Row) => void,
    private readonly signal: AbortSignal,
  ) {
    this.#journal = new Journal(to.user, to.site, to.campaign);
  }

  /** A refused row does not stop the others. Throws when no other could be sent, or at `signal`. */
  async send(rows: readonly Row[]): Promise<void> {
    for (const row of rows.filter(({ state }) => state === "ready")) {
      try {
        await this.#one(row);
      } catch (error) {
        if (!(error instanceof Problem) || CUT_SHORT.has(error.code) || error.signedOut) throw error;
        this.show({ ...row, state: "refused", says: error.message, isSent: true });
      } finally {
        document.body.dispatchEvent(new Event("uploads-changed")); // the page's list of uploads is asked for anew
      }
    }
  }

  async #one(row: Row): Promise<void> {
    const { series } = row;
    const before = series ? this.#journal.find(series.code, series.contents) : null;
    if (before?.done) return this.show(sent(row, before.scans, "sent before"));
    // A job that had not ended when the page was left. What it refused is sent again: the campaign may have changed.
    if (before && (await this.#waited(row, before.job))?.scans.length) return;
    const job = await this.#deliver(row);
    if (series) this.#note(row, job, []);
    const told = await this.#waited(row, job);
    if (!told) throw new Problem(410, "import_lost", "The server lost the import; send the files again.", {});
    if (!told.scans.length) this.show({ ...row, state: "refused", says: told.reason, isSent: true });
  }

  async #deliver(row: Row): Promise<string> {
    const { series, file } = row;
    const packed = series
      ? await this.client.ask("pack", { id: series.id }, (done, of) => this.#work(row, "de-identifying", done / of))
      : file;
    if (!packed) throw new TypeError("nothing to send");
    this.signal.throwIfAborted();
    const name = series ? "series.zip" : (file?.name ?? "");
    return this.#patiently(row, () =>
      upload(packed, name, this.to, (share) => this.#work(row, "sending", share), this.signal),
    );
  }

  /** How the job ended, noted and shown where it made scans; null when the server does not know it. */
  async #waited(row: Row, job: string): Promise<Ended | null> {
    const told = await this.#patiently(row, () =>
      ended(job, (percent) => this.#work(row, "the server reads it", percent / 100), this.signal),
    );
    if (!told?.scans.length) return told;
    this.#note(row, job, told.scans);
    this.show(sent(row, told.scans, ""));
    return told;
  }

  #patiently<T>(row: Row, ask: () => Promise<T>): Promise<T> {
    return askAgain(async () => {
      try {
        return await ask();
      } catch (error) {
        if (isLineGone(error)) this.#work(row, "no line to the server; goes on when it is back", 0);
        throw error;
      }
    }, this.signal);
  }

  #note({ series }: Row, job: string, scans: readonly Made[]): void {
    if (series) this.#journal.note(series.code, { contents: series.contents, job, done: scans.length > 0, scans });
  }

  #work(row: Row, says: string, share: number): void {
    if (!this.signal.aborted) this.show({ ...row, state: "working", says, share });
  }
}

const sent = (row: Row, scans: readonly Made[], says: string): Row => ({
  ...row,
  state: "sent",
  says,
  scans,
  share: 1,
});
