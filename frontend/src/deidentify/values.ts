/** What becomes of one attribute's value. Each answers the attribute as it is written, or null: it is removed. */

import { move, readDay, yearsBetween } from "./days";
import { BINARY, itemsOf, numbersOf, textOf, wordsOf } from "./elements";
import { type Element, text } from "./encoding";
import type { Person, SiteKeys } from "./keys";
import type { DataSet, Source } from "./parse";
import { general, roundEven, wholeText } from "./python";
import { CLASSES, type Code, codesOf, METHOD, NO_CONTRAST, type Rule, termsOf, VERSION } from "./tables";
import { kernelOf, manufacturerOf, modelOf, OTHER } from "./vocabulary";

/** What the values of one file depend on. `header` is its top level. */
export interface Context {
  readonly keys: SiteKeys;
  readonly person: Person;
  readonly header: DataSet;
}

type Write = (rule: Rule, source: Source | undefined, context: Context) => Element | null;

const DECIMAL = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,2})?$/;
const LONGEST_DECIMAL = 16;
const AGE = /^(\d{3})([DWMY])$/;
const OLDEST = 90;
const MOST_WORDS = 64;
const BIRTH_DATE = 0x00100030;
const STUDY_DATE = 0x00080020;
const PIXEL_REPRESENTATION = 0x00280103;
const LITTLE = true;

/** The attribute under its rule; `source` is undefined where the file lacks it. */
export function writeValue(rule: Rule, source: Source | undefined, context: Context): Element | null {
  const element = WRITERS[rule.do]?.(rule, source, context) ?? null;
  return element === null && rule.always ? text(rule.number, rule.vr, "") : element;
}

const say = (rule: Rule, words: string): Element | null => text(rule.number, rule.vr, words);
const sayIfAny = (rule: Rule, words: string): Element | null => (words ? say(rule, words) : null);

const date: Write = (rule, source, { person }) => {
  const day = readDay(textOf(source));
  const moved = day && move(day, person.shiftDays);
  return moved === null ? null : say(rule, moved);
};

const age: Write = (rule, source, { header }) => {
  const found = AGE.exec(textOf(source).toUpperCase());
  if (found && found[2] !== "Y") return say(rule, found[0]);
  const [born, studied] = [BIRTH_DATE, STUDY_DATE].map((tag) => readDay(textOf(header.get(tag))));
  const years = found ? Number(found[1]) : born && studied ? yearsBetween(born, studied) : null;
  return years === null ? null : say(rule, `${String(Math.min(OLDEST, years)).padStart(3, "0")}Y`);
};

/** Numbers in their range; text is kept digit for digit by `exact`, else to six digits. */
const number: Write = (rule, source) => {
  const values = source === undefined ? null : numbersOf(source, rule.vr);
  if (values === null || values.length < 1 || values.length > rule.values) return null;
  if (!values.every((value) => DECIMAL.test(value))) return null;
  const numbers = values.map(Number);
  if (!numbers.every((value) => Number.isFinite(value) && rule.least <= value && value <= rule.most)) return null;
  if (BINARY.has(rule.vr)) return binary(rule, numbers);
  if (rule.vr === "IS") return say(rule, numbers.map(wholeText).join("\\"));
  const isExact = rule.do === "exact";
  if (isExact && values.every((value) => value.length <= LONGEST_DECIMAL)) return say(rule, values.join("\\"));
  return say(rule, numbers.map((value) => general(value, isExact ? 10 : 6)).join("\\"));
};

function binary(rule: Rule, numbers: readonly number[]): Element | null {
  const kind = BINARY.get(rule.vr);
  if (!kind) return null;
  const value = new Uint8Array(numbers.length * kind.size);
  const view = new DataView(value.buffer);
  const fits = numbers.every((one, n) => kind.write(view, n * kind.size, kind.whole ? roundEven(one) : one));
  return fits ? { tag: rule.number, vr: rule.vr, value } : null;
}

/** Two bytes as they are: some scanners write an unsigned padding value beside signed pixels. */
const padding: Write = (rule, source, { header }) => {
  if (source === undefined || source.items || source.value.length !== 2) return null;
  const vr = source.vr === "US" || source.vr === "SS" ? source.vr : signedness(header);
  if (vr === null) return null;
  const [first = 0, second = 0] = source.value;
  const value = source.coding.little === LITTLE ? Uint8Array.of(first, second) : Uint8Array.of(second, first);
  return { tag: rule.number, vr, value };
};

function signedness(header: DataSet): "SS" | "US" | null {
  const source = header.get(PIXEL_REPRESENTATION);
  if (source === undefined) return "US";
  const words = numbersOf(source, "US");
  return words === null ? null : words.join("\\") === "1" ? "SS" : "US";
}

/** Words of a list; unlisted ones become `other` or, without it, remove the attribute. */
const term: Write = (rule, source) => {
  const listed = termsOf(rule.terms);
  const found = wordsOf(source).map((word) => (listed.includes(word) ? word : rule.other));
  if (source === undefined || !found.every(Boolean) || found.length > rule.values) return null;
  return say(rule, found.join("\\"));
};

/** The listed words of a free text, each once, in the order of the list. */
const words: Write = (rule, source) => {
  const held = new Set(
    textOf(source)
      .toUpperCase()
      .split(/[^A-Z]+/),
  );
  let kept = "";
  for (const word of termsOf(rule.terms)) {
    if (held.has(word) && kept.length + word.length < MOST_WORDS) kept = `${kept} ${word}`.trim();
  }
  return sayIfAny(rule, kept);
};

const scanner =
  (find: (words: string) => string): Write =>
  (rule, source) =>
    sayIfAny(rule, find(textOf(source)) || (rule.always ? OTHER : ""));

/** The items whose scheme and value stand in the list, with the meaning of the list. */
const coded: Write = (rule, source) => {
  const listed = codesOf(rule.terms);
  const kept = (source ? itemsOf(source) : []).flatMap((item) => {
    const [scheme, value] = [0x00080102, 0x00080100].map((tag) => textOf(item.get(tag)));
    const known = listed.find((code) => code.scheme === scheme && code.value === value);
    return known ? [codeItem(known)] : [];
  });
  return kept.length ? { tag: rule.number, vr: "SQ", value: kept } : null;
};

const method: Write = (rule) => ({ tag: rule.number, vr: "SQ", value: METHOD.map(codeItem) });

const codeItem = ({ value, scheme, meaning }: Code): Element[] =>
  [text(0x00080100, "SH", value), text(0x00080102, "SH", scheme), text(0x00080104, "LO", meaning)].filter(
    (element) => element !== null,
  );

const WRITERS: Readonly<Record<string, Write>> = {
  age,
  class: (rule, source) => (CLASSES.has(textOf(source)) ? say(rule, textOf(source)) : null),
  coded,
  contrast: (rule, source) => sayIfAny(rule, NO_CONTRAST.has(textOf(source).toUpperCase()) ? "" : "CONTRAST"),
  date,
  empty: (rule) => say(rule, ""),
  exact: number,
  kernel: scanner(kernelOf),
  manufacturer: scanner(manufacturerOf),
  method,
  model: scanner(modelOf),
  number,
  padding,
  set: (rule) => say(rule, rule.value.replaceAll("{version}", String(VERSION))),
  subject: (rule, _source, { person }) => say(rule, person.code),
  term,
  uid: (rule, source, { keys }) => (textOf(source) ? say(rule, keys.uid(textOf(source))) : null),
  words,
};
