/** One line of the list: a series that is de-identified, or a file that goes as it is. */

import type { Chosen } from "../../deidentify/calls";
import type { Described, SetAside } from "../../deidentify/series";
import type { Made } from "./journal";

export type State = "ready" | "working" | "sent" | "refused";

export interface Row {
  readonly id: string;
  readonly series: Described | null;
  /** A file that goes as it is. */
  readonly file: File | null;
  readonly what: string;
  readonly from: string;
  readonly size: string;
  readonly thickness: string;
  readonly files: number;
  readonly setAside: readonly SetAside[];
  readonly state: State;
  /** It reached the server, which refused it. */
  readonly isSent?: boolean;
  /** Of what is done now, 0 to 1. */
  readonly share: number;
  readonly says: string;
  readonly scans: readonly Made[];
}

const MIB = 1 << 20;

export function rowOfSeries(series: Described): Row {
  const { files, setAside, modality, number } = series;
  const total = files + setAside.reduce((sum, aside) => sum + aside.files, 0);
  const images = `${total} ${total === 1 ? "image" : "images"}`;
  const main = [...setAside].sort((a, b) => b.files - a.files)[0];
  return {
    id: `series-${series.id}`,
    series,
    file: null,
    what: [modality || "Unknown modality", number && `series ${number}`].filter(Boolean).join(", "),
    from: series.first,
    size: series.rows && series.columns ? `${images} of ${series.rows} × ${series.columns}` : images,
    thickness: series.thicknessMm && `${Number(series.thicknessMm)} mm`,
    files,
    setAside: files ? setAside : [],
    state: files ? "ready" : "refused",
    share: 0,
    says: files ? "" : (main?.reason ?? ""),
    scans: [],
  };
}

export function rowOfFile({ name, file }: Chosen, at: number): Row {
  return {
    id: `file-${at}`,
    series: null,
    file,
    what: "NIfTI, goes as it is",
    from: name,
    size: `${(file.size / MIB).toFixed(1)} MiB`,
    thickness: "",
    files: 1,
    setAside: [],
    state: "ready",
    share: 0,
    says: "",
    scans: [],
  };
}
