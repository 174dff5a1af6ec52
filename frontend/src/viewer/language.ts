/**
 * Words of the page in the reader's language. Texts stand in the source in English and are looked up by themselves, so that a
 * language that lacks one still shows it.
 */

/** Translations of one language: English text → its own. `{name}` stands for a value. */
export type Language = Readonly<Record<string, string>>;

let language: Language = {};

export function speak(words: Language): void { language = words; }

/** A text of the page, e.g. `t("Scan {n} of {size}", { n: 3, size: 50 })`. */
export function t(text: string, values: Readonly<Record<string, string | number>> = {}): string {
  return (language[text] ?? text).replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
