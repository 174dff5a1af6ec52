/**
 * The attributes of a DICOM data set, as pydicom finds them (PS3.5 7): explicit and implicit VR, little and big endian,
 * sequences of known and unknown length, and the ways in which files deviate. Values are not converted.
 */

import { Bytes } from "./bytes";
import { CLASS_OF } from "./tables";

export type DataSet = Map<number, Source>;

/** An attribute as it lies in the file. `items` holds a sequence that had to be read to find its end. */
export interface Source {
  readonly tag: number;
  /** Null where the file does not say. */
  readonly vr: string | null;
  readonly value: Uint8Array;
  readonly items: readonly DataSet[] | null;
  readonly coding: Coding;
}

export interface Coding {
  readonly implicit: boolean;
  readonly little: boolean;
}

/** Ends the reading of a data set before an attribute. */
type Stop = (tag: number) => boolean;

const UNDEFINED = 0xffffffff;
const ITEM = 0xfffee000;
const END_OF_ITEM = 0xfffee00d;
const END_OF_SEQUENCE = 0xfffee0dd;
const PIXELS = 0x7fe00010;
const SHORT = new Set("AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split(" "));
const LONG = new Set("OB OD OF OL OV OW SQ SV UC UN UR UT UV".split(" "));
const EMPTY = new Uint8Array(0);
const DEEPEST = 64;

/** The file ends where it must not, or nests too deep. */
export class Damaged extends Error {}

/** Read a data set up to the end of the bytes, or `stop`. Throws `Damaged` or RangeError. */
export function parse(data: Bytes, assumed: Coding, stop: Stop | null = null): DataSet {
  return dataSet(data, { ...assumed, implicit: isImplicit(data, assumed, stop, true) }, null, stop, 0);
}

/** The items of a sequence whose value lies as bytes. */
export const parseItems = (value: Uint8Array, coding: Coding): DataSet[] =>
  items(new Bytes(value), coding, value.length, 1);

/** What the first attribute looks like counts more than what the file says of itself. */
function isImplicit(data: Bytes, assumed: Coding, stop: Stop | null, top: boolean): boolean {
  if (!top && assumed.implicit) return true;
  if (data.left < 6) return assumed.implicit;
  const isLetter = (byte: number) => byte > 0x40 && byte < 0x5b;
  const found = !(isLetter(data.byte(4)) && isLetter(data.byte(5)));
  if (found !== assumed.implicit && stop?.(data.tag(0, assumed.little))) return assumed.implicit;
  return found;
}

function dataSet(data: Bytes, coding: Coding, length: number | null, stop: Stop | null, depth: number): DataSet {
  if (depth > DEEPEST) throw new Damaged();
  const start = data.at;
  const found: DataSet = new Map();
  while (length === null || data.at - start < length) {
    const source = element(data, coding, stop, depth);
    if (source === null) break;
    found.set(source.tag, source);
  }
  return found;
}

interface Head {
  readonly tag: number;
  readonly vr: string | null;
  readonly length: number;
}

/** Tag, VR and length of the next attribute; null where there is none. */
function head(data: Bytes, { implicit, little }: Coding): Head | null {
  if (data.left < 8) {
    data.take(8);
    return null;
  }
  const tag = data.tag(0, little);
  const first = data.byte(4);
  const second = data.byte(5);
  const vr = String.fromCharCode(first, second);
  const isKnown = SHORT.has(vr) || LONG.has(vr);
  if (implicit || (!isKnown && !(vr >= "AA" && vr <= "ZZ"))) {
    const length = data.long(4, little);
    data.take(8);
    return { tag, vr: null, length };
  }
  if (!LONG.has(vr)) {
    const length = data.short(6, little);
    data.take(8);
    return { tag, vr, length };
  }
  const length = data.long(8, little);
  data.take(12);
  return { tag, vr, length };
}

function element(data: Bytes, coding: Coding, stop: Stop | null, depth: number): Source | null {
  const start = data.at;
  const found = head(data, coding);
  if (found === null || found.tag === END_OF_ITEM) return null;
  const { tag, length } = found;
  if (stop?.(tag)) {
    data.go(start);
    return null;
  }
  if (length !== UNDEFINED) return { tag, vr: found.vr, value: data.take(length), items: null, coding };
  if (isSequence(data, found, coding)) {
    return { tag, vr: "SQ", value: EMPTY, items: items(data, coding, UNDEFINED, depth + 1), coding };
  }
  return { tag, vr: found.vr, value: undefinedValue(data, coding.little), items: null, coding };
}

function isSequence(data: Bytes, { tag, vr }: Head, { little }: Coding): boolean {
  if (vr !== null) return vr === "SQ" || vr === "UN";
  const known = CLASS_OF.get(tag);
  if (known !== undefined) return known === "sequences";
  return data.left >= 4 && data.tag(0, little) === ITEM;
}

function items(data: Bytes, coding: Coding, length: number, depth: number): DataSet[] {
  const found: DataSet[] = [];
  const start = data.at;
  while (length === UNDEFINED || data.at - start < length) {
    if (data.left < 8) throw new Damaged();
    const tag = data.tag(0, coding.little);
    const size = data.long(4, coding.little);
    data.take(8);
    if (tag === END_OF_SEQUENCE) break;
    const own = { ...coding, implicit: isImplicit(data, coding, null, false) };
    found.push(dataSet(data, own, size === UNDEFINED ? null : size, null, depth));
  }
  return found;
}

/** The value up to its delimiter: fragments of pixels, or where they are none, the first one that is found. */
function undefinedValue(data: Bytes, little: boolean): Uint8Array {
  const start = data.at;
  const end = endOfFragments(data, little) ?? search(data, little);
  data.go(end + 8);
  return data.all.subarray(start, end);
}

/** Where the fragments end; null where something else lies there. */
function endOfFragments(data: Bytes, little: boolean): number | null {
  const start = data.at;
  for (;;) {
    const here = data.at;
    if (data.left < 4) break;
    const tag = data.tag(0, little);
    if (tag === END_OF_SEQUENCE) return here;
    if (tag !== ITEM || data.left < 8) break;
    data.go(here + 8 + data.long(4, little));
  }
  data.go(start);
  return null;
}

function search(data: Bytes, little: boolean): number {
  const wanted = little ? [0xfe, 0xff, 0xdd, 0xe0] : [0xff, 0xfe, 0xe0, 0xdd];
  for (let at = data.all.indexOf(wanted[0] ?? 0, data.at); at >= 0; at = data.all.indexOf(wanted[0] ?? 0, at + 1)) {
    if (wanted.every((byte, n) => data.all[at + n] === byte)) return at;
  }
  throw new Damaged();
}

export const beforePixels: Stop = (tag) => tag === PIXELS;
