/** Which series there are among the files, and what becomes of each: judged file by file before anything is sent. */

import { Zip, ZipDeflate } from "fflate";
import { type Cleaned, deidentify, INSTANCE } from "./cleaning";
import { numbersOf, textOf } from "./elements";
import { hashOf, type SiteKeys } from "./keys";
import { readWhole } from "./read";
import { Refusal } from "./refusal";
import { type Counts, Report } from "./report";
import { MODALITY, SERIES_UID, STUDY_UID } from "./screen";
import { LIMITS, VERSION } from "./tables";
import type { Member } from "./zipfile";

const SERIES_NUMBER = 0x00200011;
const ROWS = 0x00280010;
const COLUMNS = 0x00280011;
const THICKNESS = 0x00180050;
const FASTEST = 1;
const EPOCH = "1980-01-01T00:00:00";

/** Files of a series that are not sent, for one reason; `first` is the name of one. */
export interface SetAside {
  readonly code: string;
  readonly reason: string;
  readonly first: string;
  readonly files: number;
}

/** What the page shows of a series. `code` and `contents` know it again; neither names anybody. */
export interface Described {
  readonly id: number;
  readonly code: string;
  readonly contents: string;
  readonly modality: string;
  readonly number: string;
  readonly first: string;
  readonly rows: string;
  readonly columns: string;
  readonly thicknessMm: string;
  readonly files: number;
  readonly setAside: readonly SetAside[];
}

/** The whole of what was chosen. `classes` counts attributes of the files that may be sent. */
export interface Judged {
  readonly series: readonly Described[];
  readonly classes: Readonly<Record<string, Counts>>;
  readonly notDicom: number;
  readonly unreadable: number;
}

/** A series with its files, and whose it is. */
export interface Series {
  readonly described: Described;
  readonly members: readonly Member[];
  readonly origins: readonly Omit<Cleaned, "data">[];
}

interface Growing {
  readonly members: Member[];
  readonly instances: string[];
  readonly setAside: Map<string, SetAside>;
  readonly origins: Map<string, Omit<Cleaned, "data">>;
  readonly shown: Omit<Described, "id" | "code" | "contents" | "files" | "setAside">;
  readonly code: string;
}

/** Files of a series that are read together: each is de-identified, and only what became of it is kept. */
export class Judge {
  readonly #found = new Map<string, Growing>();
  readonly #report = new Report();
  #notDicom = 0;
  #unreadable = 0;

  constructor(private readonly keys: SiteKeys) {}

  async add(member: Member): Promise<void> {
    const data = await readMember(member);
    let series: Growing;
    try {
      series = this.#seriesOf(data, member.name);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.code === "not_dicom") this.#notDicom++;
      else this.#unreadable++;
      return;
    }
    try {
      const { data: _, ...cleaned } = deidentify(data, this.keys, this.#report);
      series.origins.set(cleaned.person.code, cleaned);
      series.members.push(member);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const known = series.setAside.get(error.code);
      const { code, message: reason } = error;
      series.setAside.set(code, { code, reason, first: known?.first ?? member.name, files: (known?.files ?? 0) + 1 });
    }
  }

  get judged(): Judged {
    const series = this.series.map(({ described }) => described);
    return { series, classes: this.#report.classes, notDicom: this.#notDicom, unreadable: this.#unreadable };
  }

  get series(): Series[] {
    return [...this.#found.values()].map((growing, id) => ({
      described: {
        ...growing.shown,
        id,
        code: growing.code,
        contents: contentsOf(growing.instances),
        files: growing.members.length,
        setAside: [...growing.setAside.values()],
      },
      members: growing.members,
      origins: [...growing.origins.values()],
    }));
  }

  #seriesOf(data: Uint8Array, name: string): Growing {
    const { header } = readWhole(data);
    const [study, uid, instance] = [STUDY_UID, SERIES_UID, INSTANCE].map((tag) => textOf(header.get(tag)));
    const key = `${study}\0${uid}`;
    let series = this.#found.get(key);
    if (!series) {
      const number = (tag: number) => {
        const source = header.get(tag);
        return (source && numbersOf(source, "US")?.[0]) ?? "";
      };
      series = {
        members: [],
        instances: [],
        setAside: new Map(),
        origins: new Map(),
        code: uid ? this.keys.uid(uid) : "",
        shown: {
          modality: textOf(header.get(MODALITY)),
          number: textOf(header.get(SERIES_NUMBER)),
          first: name,
          rows: number(ROWS),
          columns: number(COLUMNS),
          thicknessMm: textOf(header.get(THICKNESS)),
        },
      };
      this.#found.set(key, series);
    }
    series.instances.push(instance ? this.keys.uid(instance) : "");
    return series;
  }
}

async function readMember(member: Member): Promise<Uint8Array> {
  if (member.size > LIMITS.mostFileBytes) {
    const most = LIMITS.mostFileBytes / (1 << 20);
    throw new Refusal("file_too_large", `A file holds more than ${most} MiB, as no slice does; leave it out.`);
  }
  return member.read();
}

/** Which images a series holds, by their codes, and the version of the rules. */
const contentsOf = (instances: readonly string[]): string =>
  hashOf(new TextEncoder().encode([String(VERSION), ...[...instances].sort()].join("\n")));

/** One zip of the de-identified files of a series. `onFile` hears of each. */
export async function packSeries(series: Series, keys: SiteKeys, onFile: () => void): Promise<Blob> {
  const parts: Blob[] = [];
  let failed: Error | null = null;
  const archive = new Zip((error, part) => {
    if (error) failed = error;
    else parts.push(new Blob([part as Uint8Array<ArrayBuffer>]));
  });
  const written = new Set<string>();
  for (const member of series.members) {
    const cleaned = deidentify(await readMember(member), keys, new Report());
    const entry = new ZipDeflate(entryOf(cleaned.instanceCode, written), { level: FASTEST });
    entry.mtime = EPOCH;
    archive.add(entry);
    entry.push(cleaned.data, true);
    onFile();
  }
  archive.end();
  if (failed) throw failed;
  return new Blob(parts, { type: "application/zip" });
}

/** The name of a file in the zip; one that comes twice gets a number, and the server judges. */
function entryOf(code: string, written: Set<string>): string {
  let name = `${code}.dcm`;
  for (let number = 2; written.has(name); number++) name = `${code}-${number}.dcm`;
  written.add(name);
  return name;
}
