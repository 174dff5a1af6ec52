/**
 * What Python does with texts and numbers, as far as the written bytes depend on it: its blanks, the letters of its
 * `\w`, how it writes a number. Texts are bytes as Latin-1, one sign each.
 */

const BLANKS = new Set("\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0");
const PADDING = new Set(" \0\t\r\n");

function trim(text: string, signs: ReadonlySet<string>): string {
  let start = 0;
  let end = text.length;
  while (start < end && signs.has(text.charAt(start))) start++;
  while (end > start && signs.has(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

/** `str.strip()`: its blanks among the first 256 signs. */
export const strip = (text: string): string => trim(text, BLANKS);

/** `str.strip(" \0\t\r\n")`: the padding of a value. */
export const unpad = (text: string): string => trim(text, PADDING);

/** `\w` among the first 256 signs, as the inside of a class. */
const WORD = "0-9A-Za-z_\\xaa\\xb2\\xb3\\xb5\\xb9\\xba\\xbc-\\xbe\\xc0-\\xd6\\xd8-\\xf6\\xf8-\\xff";
const EDGE = `(?:(?<=[${WORD}])(?![${WORD}])|(?<![${WORD}])(?=[${WORD}]))`;

/** A pattern of Python, whose `\b` knows more letters. */
export const pattern = (written: string, flags = ""): RegExp => new RegExp(written.replaceAll("\\b", EDGE), flags);

/** `re.split(r"[\W_]+", text)` without the empty parts. */
export const wordsIn = (text: string): string[] => text.split(new RegExp(`(?:[^${WORD}]|_)+`)).filter(Boolean);

export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** `repr(float)`: the fewest digits that tell the number, with an exponent below 1e-4 and from 1e16 on. */
export function repr(number: number): string {
  if (Number.isNaN(number)) return "nan";
  if (!Number.isFinite(number)) return number < 0 ? "-inf" : "inf";
  if (number === 0) return Object.is(number, -0) ? "-0.0" : "0.0";
  const [mantissa = "", exponent = "0"] = number.toExponential().split("e");
  const power = Number(exponent);
  if (power < -4 || power >= 16) return `${mantissa}e${signed(power)}`;
  const digits = mantissa.replace(/[-.]/g, "");
  return (number < 0 ? "-" : "") + placed(digits, power, true);
}

/** `f"{number:.{digits}g}"`: as many digits, a tie to the even one, without zeros at the end. */
export function general(number: number, digits: number): string {
  if (number === 0) return Object.is(number, -0) ? "-0" : "0";
  const [mantissa, power] = rounded(Math.abs(number), digits);
  const shown = mantissa.replace(/0+$/, "") || "0";
  const sign = number < 0 ? "-" : "";
  if (power < -4 || power >= digits) {
    const rest = shown.slice(1);
    return `${sign}${shown.slice(0, 1)}${rest ? `.${rest}` : ""}e${signed(power)}`;
  }
  return sign + placed(shown, power, false);
}

/** `round(number)`: a tie to the even one. */
export function roundEven(number: number): number {
  const low = Math.floor(number);
  const over = number - low;
  if (over !== 0.5) return over < 0.5 ? low : low + 1;
  return low % 2 === 0 ? low : low + 1;
}

/** `str(round(number))`: every digit of a whole number. */
export const wholeText = (number: number): string => BigInt(roundEven(number)).toString();

/** More than a double has between a tie and its neighbours. */
const MOST_PLACES = 100;

const signed = (power: number): string => (power < 0 ? "-" : "+") + String(Math.abs(power)).padStart(2, "0");

/** The digits with the point in its place; `point`: a whole number ends with `.0`. */
function placed(digits: string, power: number, point: boolean): string {
  if (power < 0) return `0.${"0".repeat(-power - 1)}${digits}`;
  if (digits.length <= power + 1) return digits.padEnd(power + 1, "0") + (point ? ".0" : "");
  return `${digits.slice(0, power + 1)}.${digits.slice(power + 1)}`;
}

/** So many digits of a positive number, and the power of ten of the first. JavaScript rounds a tie up. */
function rounded(number: number, digits: number): [string, number] {
  const [exact = "", exponent = "0"] = number.toExponential(MOST_PLACES).split("e");
  const all = exact.replace(".", "");
  const isTie = all[digits] === "5" && /^0*$/.test(all.slice(digits + 1));
  if (isTie && Number(all[digits - 1]) % 2 === 0) return [all.slice(0, digits), Number(exponent)];
  const [near = "", power = "0"] = number.toExponential(digits - 1).split("e");
  return [near.replace(".", ""), Number(power)];
}
