/** Read one untrusted DICOM file (PS3.10): what `annotation/intake/dicom/read.py` does. */

import { type FlateError, FlateErrorCode, Inflate } from "fflate";
import { Bytes } from "./bytes";
import { textOf } from "./elements";
import { beforePixels, type Coding, Damaged, type DataSet, parse } from "./parse";
import { latin1 } from "./python";
import { Refusal } from "./refusal";
import { LIMITS } from "./tables";

export const IMPLICIT = "1.2.840.10008.1.2";
export const EXPLICIT = "1.2.840.10008.1.2.1";
export const DEFLATED = "1.2.840.10008.1.2.1.99";
export const BIG_ENDIAN = "1.2.840.10008.1.2.2";
const HEADER_BYTES = 1 << 20;
const META_LONG = new Set(["OB", "UN", "OW", "SQ", "UT"]);
const LITTLE = true;
const STEP = 1 << 16;

/** The data set of a file, and its transfer syntax. */
export interface Read {
  readonly header: DataSet;
  readonly syntax: string;
}

/** Throws `Refusal`: `not_dicom`, `unreadable`, `deflated_too_large`. */
export function readWhole(data: Uint8Array): Read {
  if (!looksLikeDicom(data)) throw new Refusal("not_dicom", "The file is not DICOM.");
  try {
    const { syntax, end } = fileMeta(data);
    const header = syntax === DEFLATED ? deflated(data.subarray(end)) : plain(data);
    if (header.size === 0) throw new Damaged();
    return { header, syntax };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal("unreadable", "The file is damaged and cannot be read as DICOM.");
  }
}

export function looksLikeDicom(data: Uint8Array): boolean {
  const bare = data.length > 16 && (data[0] === 2 || data[0] === 8) && data[1] === 0 && data[3] === 0;
  return bare || latin1(data.subarray(128, 132)) === "DICM";
}

/** The transfer syntax that the file names, else the one that it looks like; and where the data set begins. */
function fileMeta(data: Uint8Array): { syntax: string; end: number } {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let at = latin1(data.subarray(128, 132)) === "DICM" ? 132 : 0;
  let syntax = "";
  while (data[at] === 2 && data[at + 1] === 0 && data.length >= at + 12) {
    const isLong = META_LONG.has(latin1(data.subarray(at + 4, at + 6)));
    const head = isLong ? 12 : 8;
    const length = isLong ? view.getUint32(at + 8, LITTLE) : view.getUint16(at + 6, LITTLE);
    if (data[at + 2] === 0x10 && data[at + 3] === 0) {
      syntax = latin1(data.subarray(at + 8, at + 8 + length)).replace(/[\0 ]+$/, "");
    }
    at += head + length;
  }
  if (!syntax) syntax = /^[A-Z]{2}$/.test(latin1(data.subarray(at + 4, at + 6))) ? EXPLICIT : IMPLICIT;
  return { syntax, end: at };
}

const inGroup = (group: number) => (tag: number) => tag >>> 16 !== group;

function plain(all: Uint8Array): DataSet {
  const data = new Bytes(all);
  if (latin1(all.subarray(128, 132)) === "DICM") data.go(132);
  const meta = parse(data, { implicit: false, little: true }, inGroup(2));
  const commands = parse(data, { implicit: true, little: true }, inGroup(0));
  const found = parse(data, codingOf(meta, data));
  for (const [tag, source] of commands) found.set(tag, source);
  return found;
}

/** How the data set is coded, by the file meta, else by its first attribute. */
function codingOf(meta: DataSet, data: Bytes): Coding {
  const source = meta.get(0x00020010);
  if (data.left === 0) return { implicit: true, little: true };
  if (source === undefined) {
    const vr = latin1(data.all.subarray(data.at + 4, data.at + 6));
    const implicit = !/^[A-Z]{2}$/.test(vr);
    return { implicit, little: implicit || data.short(0, LITTLE) < 1024 };
  }
  const syntax = textOf(source);
  return { implicit: syntax === IMPLICIT, little: syntax !== BIG_ENDIAN };
}

/** A deflated file (PS3.5 A.5), never more than its header promises. */
function deflated(packed: Uint8Array): DataSet {
  const coding = { implicit: false, little: true };
  const first = inflate(packed, HEADER_BYTES);
  if (first.length < HEADER_BYTES) return parse(new Bytes(first), coding);
  const promised = promisedBy(parse(new Bytes(first), coding, beforePixels));
  const most = HEADER_BYTES + Math.min(LIMITS.mostFileBytes, promised);
  const body = inflate(packed, most + 1);
  if (body.length > most) {
    throw new Refusal("deflated_too_large", "The deflated file inflates to more than its header promises.");
  }
  return parse(new Bytes(body), coding);
}

/** Bytes of pixels that a header declares. */
function promisedBy(header: DataSet): number {
  const number = (tag: number): number => {
    const source = header.get(tag);
    if (source === undefined) return 0;
    const { value } = source;
    return source.vr === "US" ? (value[0] ?? 0) + 256 * (value[1] ?? 0) : Number(textOf(source)) || 0;
  };
  const [samples, frames, rows, columns, bits] = [0x00280002, 0x00280008, 0x00280010, 0x00280011, 0x00280100].map(
    number,
  );
  return Math.floor(((samples || 1) * (frames || 1) * (rows || 0) * (columns || 0) * (bits || 16)) / 8);
}

/** At most so many bytes of a raw deflate stream. */
function inflate(packed: Uint8Array, most: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let size = 0;
  const stream = new Inflate((part) => {
    parts.push(part);
    size += part.length;
  });
  try {
    for (let at = 0; at < packed.length && size < most; at += STEP) stream.push(packed.subarray(at, at + STEP));
    if (size < most) stream.push(new Uint8Array(0), true);
  } catch (error) {
    // A stream that is cut off gives what there is of it.
    if ((error as FlateError).code !== FlateErrorCode.UnexpectedEOF) throw error;
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole.subarray(0, most);
}
