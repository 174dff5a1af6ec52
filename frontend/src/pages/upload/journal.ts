/** What this browser sent already, so that a send that was cut goes on and sends nothing twice. Holds codes only. */

import { readKept, type Shape } from "../../ground/check";

/** The server's scan: its id and code. */
export interface Made {
  readonly id: string;
  readonly code: string;
}

/** One series: its contents, the server's job, and its scans when the job has ended. */
export interface Entry {
  readonly contents: string;
  readonly job: string;
  readonly done: boolean;
  readonly scans: readonly Made[];
}

type Entries = Readonly<Record<string, Entry>>;

const ENTRIES: Shape<Entries> = "{entry";
const PARTS = { entry: "contents job:s done:b scans:[scan", scan: "id code:s" };

export class Journal {
  readonly #key: string;

  constructor(user: string, site: string, campaign: string) {
    this.#key = `voxloop.sent ${user} ${site} ${campaign}`;
  }

  /** The entry of a series, if it was sent with the same contents. */
  find(code: string, contents: string): Entry | null {
    const entry = this.#read()[code];
    return entry?.contents === contents ? entry : null;
  }

  note(code: string, entry: Entry): void {
    localStorage.setItem(this.#key, JSON.stringify({ ...this.#read(), [code]: entry } satisfies Entries));
  }

  #read(): Entries {
    return readKept(localStorage.getItem(this.#key), ENTRIES, PARTS) ?? {};
  }
}
