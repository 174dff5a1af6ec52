/** Values of attributes as the file has them: text or numbers, whatever VR they came with. */

import { type DataSet, parseItems, type Source } from "./parse";
import { latin1, repr, strip, unpad } from "./python";
import { CLASS_OF } from "./tables";

interface Binary {
  readonly size: number;
  readonly whole: boolean;
  readonly read: (view: DataView, at: number, little: boolean) => number;
  /** False where the number does not fit. */
  readonly write: (view: DataView, at: number, value: number) => boolean;
}

function whole(size: 2 | 4, signed: boolean): Binary {
  const least = signed ? -(2 ** (8 * size - 1)) : 0;
  const most = 2 ** (8 * size - (signed ? 1 : 0)) - 1;
  const fits = (value: number) => value >= least && value <= most;
  if (size === 2) {
    return {
      size,
      whole: true,
      read: (view, at, little) => (signed ? view.getInt16(at, little) : view.getUint16(at, little)),
      write: (view, at, value) => (view.setUint16(at, value, true), fits(value)),
    };
  }
  return {
    size,
    whole: true,
    read: (view, at, little) => (signed ? view.getInt32(at, little) : view.getUint32(at, little)),
    write: (view, at, value) => (view.setUint32(at, value, true), fits(value)),
  };
}

/** VRs of binary numbers. */
export const BINARY: ReadonlyMap<string, Binary> = new Map<string, Binary>([
  ["US", whole(2, false)],
  ["SS", whole(2, true)],
  ["UL", whole(4, false)],
  ["SL", whole(4, true)],
  [
    "FD",
    {
      size: 8,
      whole: false,
      read: (view, at, little) => view.getFloat64(at, little),
      write: (view, at, value) => (view.setFloat64(at, value, true), true),
    },
  ],
  [
    "FL",
    {
      size: 4,
      whole: false,
      read: (view, at, little) => view.getFloat32(at, little),
      write: (view, at, value) => (view.setFloat32(at, value, true), Number.isFinite(Math.fround(value))),
    },
  ],
]);

const LONGEST_UNKNOWN = 0xffff;

/** The items of a sequence; none when it is not one. Throws for a broken one. */
export function itemsOf(source: Source): readonly DataSet[] {
  if (source.items) return source.items;
  const { vr, value, tag, coding } = source;
  const isUnknown = vr === null || (vr === "UN" && value.length < LONGEST_UNKNOWN);
  const isSequence = vr === "SQ" || (isUnknown && CLASS_OF.get(tag) === "sequences");
  return isSequence ? parseItems(value, coding) : [];
}

/** The value as text, without padding. */
export function textOf(source: Source | undefined): string {
  if (source === undefined) return "";
  // A sequence where a text belongs is no text: it is counted as a value, and never written.
  return source.items ? "[]" : unpad(latin1(source.value));
}

/** The values of a text, in capitals. */
export const wordsOf = (source: Source | undefined): string[] =>
  textOf(source)
    .split("\\")
    .map((word) => strip(word).toUpperCase());

/** The values of a number as decimal text; null when binary ones have an impossible length. */
export function numbersOf(source: Source, vr: string): string[] | null {
  const own = source.vr === null || source.vr === "UN" ? vr : source.vr;
  const binary = BINARY.get(own);
  if (!binary || source.items) {
    return textOf(source)
      .split("\\")
      .map((word) => strip(word));
  }
  const { value, coding } = source;
  if (value.length % binary.size) return null;
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return Array.from({ length: value.length / binary.size }, (_, n) => {
    const number = binary.read(view, n * binary.size, coding.little);
    return binary.whole ? String(number) : repr(number);
  });
}
