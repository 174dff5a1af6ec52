/** The rule file and the lists beside it, made of the Python (`python3 manage.py deidentification_tables`). */

import document from "./tables.json";

/** What becomes of one attribute; `annotation/intake/deidentify/rules.py` says what each field is. */
export interface Rule {
  readonly number: number;
  readonly group: string;
  readonly vr: string;
  readonly do: string;
  readonly least: number;
  readonly most: number;
  readonly values: number;
  readonly terms: string;
  readonly other: string;
  readonly value: string;
  readonly always: boolean;
  readonly modalities: readonly string[];
}

export interface Code {
  readonly scheme: string;
  readonly value: string;
  readonly meaning: string;
}

/** A rule as the file has it: what is not said is left out. */
interface Written {
  readonly tag: string;
  readonly vr: string;
  readonly do: string;
  readonly least?: number;
  readonly most?: number;
  readonly values?: number;
  readonly terms?: string;
  readonly other?: string;
  readonly value?: string;
  readonly always?: boolean;
  readonly for?: readonly string[];
}

const { rules } = document;

export const VERSION = rules.version;
export const CLASSES: ReadonlyMap<string, { readonly name: string; readonly modalities: readonly string[] }> = new Map(
  Object.entries(rules.classes),
);
export const REFUSED_CLASSES: readonly { readonly root: string; readonly code: string; readonly says: string }[] =
  rules.refused_classes;
export const METHOD: readonly Code[] = rules.method;
export const LIMITS = document.limits;
export const VOCABULARY = document.vocabulary;
export const DUMMY_WORDS: ReadonlySet<string> = new Set(document.dummyWords);
export const NO_CONTRAST: ReadonlySet<string> = new Set(document.noContrast);

const TERMS: Readonly<Record<string, readonly string[]>> = rules.terms;
const CODES: Readonly<Record<string, readonly Code[]>> = rules.codes;

export const termsOf = (list: string): readonly string[] => TERMS[list] ?? [];
export const codesOf = (list: string): readonly Code[] => CODES[list] ?? [];

const ruleOf = (group: string, written: Written): Rule => ({
  number: Number.parseInt(written.tag, 16),
  group,
  vr: written.vr,
  do: written.do,
  least: written.least ?? 0,
  most: written.most ?? 0,
  values: written.values ?? 1,
  terms: written.terms ?? "",
  other: written.other ?? "",
  value: written.value ?? "",
  always: written.always ?? false,
  modalities: written.for ?? [],
});

/** Every rule by its tag, in order of tags. */
export const RULES: ReadonlyMap<number, Rule> = new Map(
  rules.groups
    .flatMap(({ name, attributes }) =>
      Object.values<Written>(attributes as Readonly<Record<string, Written>>).map((written) => ruleOf(name, written)),
    )
    .sort((a, b) => a.number - b.number)
    .map((rule) => [rule.number, rule]),
);

/** The class of each attribute that DICOM defines. */
export const CLASS_OF: ReadonlyMap<number, string> = (() => {
  const letters: Readonly<Record<string, string>> = document.classes.letters;
  const found = new Map<number, string>();
  let tag = 0;
  for (const [, step = "0", letter = ""] of document.classes.tags.matchAll(/(\d+)([a-z])/g)) {
    tag += Number(step);
    found.set(tag, letters[letter] ?? "");
  }
  return found;
})();
