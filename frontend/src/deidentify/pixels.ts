/**
 * Pixel data written anew: only the stored values of the image are carried over. Bits beyond Bits Stored and bytes
 * beyond the image, where old scanners put overlays, are cleared.
 */

import { numbersOf } from "./elements";
import { unpackJpeg } from "./jpeglossless";
import type { DataSet } from "./parse";
import { BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT } from "./read";
import { Refusal } from "./refusal";
import { unpackRle } from "./rle";
import { LIMITS } from "./tables";

const TAG = 0x7fe00010;
const RLE = "1.2.840.10008.1.2.5";
const LITTLE_ENDIAN: readonly string[] = [IMPLICIT, EXPLICIT, DEFLATED];
const JPEG_LOSSLESS = /^1\.2\.840\.10008\.1\.2\.4\.(57|70)$/;
/** Lossy JPEG, JPEG-LS, JPEG 2000 and HTJ2K: `manage.py send` unpacks them, the browser does not. */
const NOT_HERE = /^1\.2\.840\.10008\.1\.2\.4\.(5[0135]|8[01]|9[01]|20[123])$/;
const MOST_SIDE = 65535;
const ITEM_HEAD = 8;

/** Native little-endian pixel data, and Bits Stored of it; High Bit is one less. */
export interface Pixels {
  readonly data: Uint8Array;
  readonly bitsStored: number;
}

/** What the header says of the image, checked. */
interface Shape {
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  readonly allocated: number;
  readonly stored: number;
  readonly high: number;
  readonly isSigned: boolean;
  /** Bytes of all frames. */
  readonly size: number;
}

/** The stored values of an image, frame after frame. Throws `Refusal`. */
export function cleanPixels(header: DataSet, syntax: string): Pixels {
  const shape = readShape(header);
  const isNative = LITTLE_ENDIAN.includes(syntax) || syntax === BIG_ENDIAN;
  const isKnown = isNative || syntax === RLE || JPEG_LOSSLESS.test(syntax) || NOT_HERE.test(syntax);
  if (!isKnown) {
    throw new Refusal(
      "unknown_syntax",
      "The images are packed in a way that cannot be read; export them uncompressed.",
    );
  }
  const source = header.get(TAG);
  if (!source || source.items || !source.value.length) {
    throw new Refusal("no_pixel_data", "The file has no pixel data, or it is cut off; export it again.");
  }
  if (shape.frames > 1 && !isNative) {
    throw new Refusal(
      "compressed_frames",
      "The file holds several compressed frames; export it uncompressed, or one slice a file.",
    );
  }
  if (NOT_HERE.test(syntax)) {
    throw new Refusal(
      "compressed_here",
      "The images are compressed in a way that this page cannot unpack; export them uncompressed, or use " +
        "manage.py send.",
    );
  }
  const written = storedValues(source.value, syntax, shape);
  if (written.length % 2 === 0) return { data: written, bitsStored: shape.stored };
  const even = new Uint8Array(written.length + 1);
  even.set(written);
  return { data: even, bitsStored: shape.stored };
}

function storedValues(data: Uint8Array, syntax: string, shape: Shape): Uint8Array {
  const pixels = shape.rows * shape.columns * shape.frames;
  const bytes = shape.allocated / 8;
  const isBig = syntax === BIG_ENDIAN;
  let raw: Uint8Array;
  if (syntax === RLE) raw = unpackRle(joinFragments(data), pixels, bytes);
  else if (JPEG_LOSSLESS.test(syntax)) raw = bytesOf(unpackJpeg(joinFragments(data), shape.rows, shape.columns), bytes);
  else if (data.length < shape.size) {
    throw new Refusal("truncated_pixels", `A slice holds ${data.length} bytes of pixels; ${shape.size} are needed.`);
  } else raw = data.subarray(0, shape.size);
  if (shape.high > 15) {
    throw new Refusal("bad_pixels", `A slice declares ${shape.stored} bits with high bit ${shape.high}.`);
  }
  return bytes === 1 ? clearBytes(raw, shape) : clearWords(raw, shape, isBig);
}

const bytesOf = (values: Uint16Array, bytes: number): Uint8Array =>
  bytes === 1 ? Uint8Array.from(values) : new Uint8Array(values.buffer);

/** Each value extracted from below High Bit, its sign carried on. Machines that run browsers are little endian. */
function clearWords(raw: Uint8Array, shape: Shape, isBig: boolean): Uint8Array {
  const out = raw.slice();
  if (isBig) swapBytes(out);
  const shift = shape.high + 1 - shape.stored;
  if (shift === 0 && shape.stored === 16) return out;
  const mask = 2 ** shape.stored - 1;
  const sign = shape.isSigned ? 1 << (shape.stored - 1) : 0;
  const values = new Uint16Array(out.buffer);
  for (let at = 0; at < values.length; at++) {
    const value = (values[at]! >> shift) & mask;
    values[at] = value & sign ? value - mask - 1 : value;
  }
  return out;
}

function swapBytes(bytes: Uint8Array): void {
  for (let at = 0; at + 1 < bytes.length; at += 2) {
    const first = bytes[at]!;
    bytes[at] = bytes[at + 1]!;
    bytes[at + 1] = first;
  }
}

function clearBytes(raw: Uint8Array, shape: Shape): Uint8Array {
  const shift = shape.high + 1 - shape.stored;
  const mask = 2 ** shape.stored - 1;
  const sign = shape.isSigned ? 1 << (shape.stored - 1) : 0;
  return raw.map((byte) => {
    const value = (byte >> shift) & mask;
    return value & sign ? value - mask - 1 : value;
  });
}

/** The fragments of the one frame, behind the table of offsets (PS3.5 A.4). Throws `Refusal`. */
function joinFragments(data: Uint8Array): Uint8Array {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const parts: Uint8Array[] = [];
  for (let at = 0; at + ITEM_HEAD <= data.length; ) {
    const length = view.getUint32(at + 4, true);
    if (view.getUint32(at, true) !== 0xe000fffe) break;
    parts.push(data.subarray(at + ITEM_HEAD, at + ITEM_HEAD + length));
    at += ITEM_HEAD + length;
  }
  const frame = parts.slice(1);
  if (!frame.length) throw new Refusal("truncated_pixels", "The pixel data of a slice is truncated.");
  const whole = new Uint8Array(frame.reduce((size, part) => size + part.length, 0));
  let to = 0;
  for (const part of frame) {
    whole.set(part, to);
    to += part.length;
  }
  return whole;
}

function readShape(header: DataSet): Shape {
  const said = (tag: number, vr = "US") => wholeNumber(header, tag, vr);
  const [rows, columns] = [said(0x00280010), said(0x00280011)];
  const isSide = (side: number | null): side is number => side !== null && side >= 1 && side <= MOST_SIDE;
  if (!isSide(rows) || !isSide(columns)) {
    throw new Refusal("bad_size", "The file does not say how many rows and columns it has; export it again.");
  }
  const frames = Math.max(1, said(0x00280008, "IS") ?? 1);
  if (rows * columns * frames > LIMITS.mostVoxels) {
    throw new Refusal("volume_too_large", "The file declares more pixels than can be read; export it again.");
  }
  const allocated = said(0x00280100);
  const stored = said(0x00280101) || allocated;
  if ((allocated !== 8 && allocated !== 16) || stored === null || stored < 1 || stored > allocated) {
    throw new Refusal("bad_bits", "The file has no 8 or 16 bits a pixel; export it again with 16 bits.");
  }
  const high = said(0x00280102) ?? stored - 1;
  if (high < stored - 1 || high >= allocated) {
    throw new Refusal("bad_bits", "The bits of a pixel lie outside it; export the file again.");
  }
  const size = (rows * columns * frames * allocated) / 8;
  return { rows, columns, frames, allocated, stored, high, isSigned: said(0x00280103) === 1, size };
}

function wholeNumber(header: DataSet, tag: number, vr: string): number | null {
  const source = header.get(tag);
  const words = source === undefined ? null : numbersOf(source, vr);
  const [word = ""] = words ?? [];
  return words?.length === 1 && /^[-+]?\d+(_\d+)*$/.test(word) ? Number(word.replaceAll("_", "")) : null;
}
