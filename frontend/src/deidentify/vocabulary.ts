/** Controlled vocabularies for free text in headers: scanner, model family, kernel; anything else is "other". */

import { pattern, strip } from "./python";
import { VOCABULARY } from "./tables";

type Entry = readonly [string, RegExp];

const table = (entries: readonly (readonly string[])[]): readonly Entry[] =>
  entries.map(([name = "", written = ""]) => [name, pattern(written)]);

const MANUFACTURERS = table(VOCABULARY.manufacturer);
const MODELS = table(VOCABULARY.model);
const KERNELS = new Set(VOCABULARY.kernels);
const SCHEMES = pattern(`^(?:${VOCABULARY.kernelSchemes})$`, "i");
const MODALITIES = new Set(VOCABULARY.modalities);
export const OTHER = VOCABULARY.other;

function find(text: string, entries: readonly Entry[]): string {
  const plain = strip(text).toLowerCase();
  if (!plain) return "";
  return entries.find(([, written]) => written.test(plain))?.[0] ?? OTHER;
}

export const manufacturerOf = (text: string): string => find(text, MANUFACTURERS);

export const modelOf = (text: string): string => find(text, MODELS);

/** The listed kernel; of several values the first, without its strength. */
export function kernelOf(text: string): string {
  const first = strip(text.split(/[/\\]/)[0] ?? "");
  if (!strip(text)) return "";
  if (KERNELS.has(first.toUpperCase())) return first.toUpperCase();
  const scheme = SCHEMES.exec(first);
  if (!scheme) return OTHER;
  return scheme.groups?.canon ? first.toUpperCase() : first.charAt(0).toUpperCase() + first.slice(1).toLowerCase();
}

/** A modality as a refusal may show it. */
export const modalityInWords = (text: string): string => (MODALITIES.has(text) ? text : "of unknown modality");
