/** De-identify one file: byte for byte what `annotation/intake/deidentify/cleaning.py` writes of it. */

import { isDummy } from "./dummies";
import { BINARY, itemsOf, textOf } from "./elements";
import { type Element, encodeFile, plainText, short } from "./encoding";
import { hashOf, type Person, type SiteKeys } from "./keys";
import type { DataSet, Source } from "./parse";
import { cleanPixels, type Pixels } from "./pixels";
import { latin1, unpad } from "./python";
import { readWhole } from "./read";
import { classOf, type Outcome, type Report } from "./report";
import { checkImage, MODALITY, SERIES_UID, STUDY_UID } from "./screen";
import { type Rule, RULES } from "./tables";
import { type Context, writeValue } from "./values";

const DEEPEST = 8;
export const INSTANCE = 0x00080018;
const PATIENT_NAME = 0x00100010;
const PATIENT_ID = 0x00100020;
const BIRTH_DATE = 0x00100030;
const BITS_STORED = 0x00280101;
const HIGH_BIT = 0x00280102;
const PIXELS = 0x7fe00010;
/** Written into every file whether the source has them or not, and never into an item of a sequence. */
const MADE = new Set(["age", "empty", "method", "set", "subject"]);

/** A file that may be sent. `patient`, `studyUid` and `seriesUid` are the originals, for the site's table only. */
export interface Cleaned {
  readonly data: Uint8Array;
  readonly person: Person;
  readonly patient: Readonly<Record<"patient_id" | "name" | "birth_date", string>>;
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly seriesCode: string;
  readonly instanceCode: string;
}

/** The same bytes and key give the same result. `report` counts what was done. Throws `Refusal`. */
export function deidentify(data: Uint8Array, keys: SiteKeys, report: Report): Cleaned {
  const { header, syntax } = readWhole(data);
  const { sopClass, modalities } = checkImage(header);
  const pixels = cleanPixels(header, syntax);
  const person = findPerson(header, keys);
  const instance = keys.uid(textOf(header.get(INSTANCE)) || hashOf(data));
  const counted: [string, Outcome][] = [];
  const file = new File({ keys, person, header }, modalities, (name, outcome) => counted.push([name, outcome]));
  const written = encodeFile(sopClass, instance, file.clean(pixels, instance));
  for (const [name, outcome] of counted) report.add(name, outcome);
  const seriesUid = textOf(header.get(SERIES_UID));
  return {
    data: written,
    person,
    patient: {
      patient_id: textOf(header.get(PATIENT_ID)),
      name: textOf(header.get(PATIENT_NAME)),
      birth_date: textOf(header.get(BIRTH_DATE)),
    },
    studyUid: textOf(header.get(STUDY_UID)),
    seriesUid,
    seriesCode: keys.uid(seriesUid),
    instanceCode: instance,
  };
}

/** Whom the file is of: the Patient ID, or where that names nobody each study a person of its own. */
function findPerson(header: DataSet, keys: SiteKeys): Person {
  const patientId = textOf(header.get(PATIENT_ID));
  return isDummy(patientId) ? keys.person("study", textOf(header.get(STUDY_UID))) : keys.person("patient", patientId);
}

/** The attributes of one file under the rules, counted as they are judged. */
class File {
  constructor(
    private readonly context: Context,
    private readonly modalities: readonly string[],
    private readonly count: (name: string, outcome: Outcome) => void,
  ) {}

  /** Every attribute that is written. */
  clean(pixels: Pixels, instance: string): Element[] {
    const written = new Map(this.attributes(this.context.header, 0).map((element) => [element.tag, element]));
    for (const rule of RULES.values()) {
      if (written.has(rule.number) || !this.applies(rule) || !(MADE.has(rule.do) || rule.always)) continue;
      const element = writeValue(rule, undefined, this.context);
      if (element) written.set(rule.number, element);
    }
    if (!written.has(MODALITY)) written.set(MODALITY, plainText(MODALITY, "CS", this.modalities[0] ?? ""));
    written.set(INSTANCE, plainText(INSTANCE, "UI", instance));
    written.set(BITS_STORED, short(BITS_STORED, pixels.bitsStored));
    written.set(HIGH_BIT, short(HIGH_BIT, pixels.bitsStored - 1));
    written.set(PIXELS, { tag: PIXELS, vr: "OW", value: pixels.data });
    return [...written.values()];
  }

  private attributes(dataSet: DataSet, depth: number): Element[] {
    const written: Element[] = [];
    for (const [tag, source] of dataSet) {
      const rule = RULES.get(tag);
      if (!rule) {
        this.count(classOf(tag), "removed");
        continue;
      }
      if (rule.do === "pixels" && depth === 0) {
        this.count(rule.group, "kept");
        continue;
      }
      const element = this.attribute(rule, source, depth);
      this.count(rule.group, outcomeOf(rule, source, element));
      if (element) written.push(element);
    }
    return written;
  }

  private attribute(rule: Rule, source: Source, depth: number): Element | null {
    if (!this.applies(rule) || (depth > 0 && (MADE.has(rule.do) || rule.do === "pixels"))) return null;
    if (rule.vr !== "SQ") return writeValue(rule, source, this.context);
    if (depth >= DEEPEST) return null;
    try {
      if (rule.do !== "items") return writeValue(rule, source, this.context);
      const items = itemsOf(source).map((item) => this.attributes(item, depth + 1));
      return { tag: rule.number, vr: "SQ", value: items };
    } catch {
      // A broken sequence: what cannot be read is not kept.
      return null;
    }
  }

  private applies({ modalities }: Rule): boolean {
    return !modalities.length || modalities.some((name) => this.modalities.includes(name));
  }
}

/** Whether an attribute was kept, changed or removed. One that is emptied counts as removed. */
function outcomeOf(rule: Rule, source: Source, element: Element | null): Outcome {
  const had = textOf(source);
  if (element === null || (!element.value.length && had)) return "removed";
  if (!(element.value instanceof Uint8Array) || BINARY.has(rule.vr)) return "kept";
  return unpad(latin1(element.value)) === had ? "kept" : "changed";
}
