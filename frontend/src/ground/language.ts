/**
 * Words of the page in the reader's language. Texts stand in the source in English and are looked up by themselves, so
 * that a language that lacks one still shows it. `npm run texts` collects them in `languages/en.json`; a file beside it
 * with a translation of each is a language (CONTRIBUTING.md). English needs no file and no time.
 */

/** Forms of a text with a number, by the plural categories of the language (CLDR): "one", "few", "many", "other" … */
export type Forms = Readonly<Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }>;

/** Translations of one language: English text → its own. `{name}` stands for a value. */
export type Language = Readonly<Record<string, string | Forms>>;

type Values = Readonly<Record<string, string | number>>;

/** British English: thin spaces in numbers are ours, the rest is that of the tag. */
export const ENGLISH = "en-GB";

/**
 * The language in which every text stands in brackets: what has none was left out. For tests and for those who write
 * panels.
 */
export const PSEUDO = "pseudo";

let tag = ENGLISH;
let words: Language = {};
let rules = new Intl.PluralRules(ENGLISH);

/** From now on texts, numbers and dates are those of this language (a BCP 47 tag). Call it before the page is drawn. */
export function speak(language: string, translations: Language): void {
  tag = language === PSEUDO ? ENGLISH : language;
  words = language === PSEUDO ? BRACKETS : translations;
  rules = new Intl.PluralRules(tag);
}

/** The BCP 47 tag of the language that is spoken, for `Intl`. */
export function spoken(): string {
  return tag;
}

const BRACKETS: Language = new Proxy({}, { get: (_, text) => `⟦${String(text)}⟧` });

function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/**
 * A text of the page, e.g. `t("Scan {n} of {size}", { n: 3, size: 50 })`. The first argument is a plain string: it is
 * what is collected.
 */
export function t(text: string, values: Values = {}): string {
  const found = words[text] ?? text;
  return fill(typeof found === "string" ? found : found.other, values);
}

/** A text with a number: `tn(n, "{n} stroke", "{n} strokes")`. A language gives its forms under the second text. */
export function tn(n: number, one: string, other: string, values: Values = {}): string {
  const all = { n, ...values };
  const forms = words[other];
  if (forms === undefined) return fill(n === 1 ? one : other, all);
  return fill(typeof forms === "string" ? forms : (forms[rules.select(n)] ?? forms.other), all);
}

/** Marks a text that is kept in a list and goes through `t` where it is shown. */
export function msg<T extends string>(text: T): T {
  return text;
}

const FILES = import.meta.glob<Language>(["../../languages/*.json", "!../../languages/en.json"], { import: "default" });

/** Tags of the languages that there are, English first. */
export function languages(): string[] {
  return [ENGLISH, ...Object.keys(FILES).map(tagOf).sort()];
}

function tagOf(path: string): string {
  return path.replace(/^.*\/|\.json$/g, "");
}

/** What a language calls itself, e.g. "Deutsch". */
export function nameOf(language: string): string {
  return new Intl.DisplayNames([language], { type: "language" }).of(language) ?? language;
}

/** Fetch a language and speak it; English where there is none of that tag or it cannot be had. */
export async function learn(language: string): Promise<void> {
  const [, load] = Object.entries(FILES).find(([name]) => tagOf(name) === language) ?? [];
  if (language === PSEUDO) speak(PSEUDO, {});
  else if (load) {
    try {
      speak(language, await load());
    } catch {
      /* offline before it was ever fetched: English is always here */
    }
  }
  document.documentElement.lang = tag;
}
