/** Whether a text names nobody: what `is_dummy` of `annotation/intake/dicom/identity.py` says. */

import { strip, wordsIn } from "./python";
import { DUMMY_WORDS } from "./tables";

export function isDummy(value: string): boolean {
  const plain = strip(value).toLowerCase();
  if (["n/a", "n.a.", "na", "-"].includes(plain) || isDummyDate(plain)) return true;
  return wordsIn(plain).every((word) => DUMMY_WORDS.has(word) || isFiller(word));
}

/** `0`, `xxx`, `99999`, `123456`: filler for a required field. */
function isFiller(word: string): boolean {
  if (/^(0+|x+)$/.test(word)) return true;
  const isOneSign = word.length >= 3 && new Set(word).size === 1;
  return isOneSign || (word.length >= 6 && "1234567890".startsWith(word));
}

/** `00010101`, `19000101`, `00000000`, `11111111`: dummy birth dates. */
function isDummyDate(plain: string): boolean {
  const digits = plain.replace(/[-./]/g, "");
  if (!/^\d{8}$/.test(digits)) return false;
  if (new Set(digits).size === 1 || digits === "19000101" || digits === "01011900") return true;
  const yearFirst = digits.slice(0, 4) < "1850" && digits.slice(4, 6) <= "12" && digits.slice(6) <= "31";
  return yearFirst || (digits.startsWith("0101") && digits.slice(4) < "1850");
}
