/** Write DICOM files of explicit little endian from scratch: nothing of the source's bytes is carried over. */

import { deriveUid } from "./keys";
import { EXPLICIT } from "./read";

const LONG = new Set(["OB", "OW", "SQ", "UN", "UT"]);
const LITTLE = true;
const ITEM = [0xfe, 0xff, 0x00, 0xe0];

/** One attribute as it is written: its value as bytes, or the items of a sequence. */
export interface Element {
  readonly tag: number;
  readonly vr: string;
  readonly value: Uint8Array | readonly (readonly Element[])[];
}

/** A text is written in ASCII only: null for any other. */
export function text(tag: number, vr: string, words: string): Element | null {
  const length = words.length + (words.length % 2);
  const value = new Uint8Array(length).fill(vr === "UI" ? 0 : 0x20);
  for (let n = 0; n < words.length; n++) {
    const sign = words.charCodeAt(n);
    if (sign > 0x7f) return null;
    value[n] = sign;
  }
  return { tag, vr, value };
}

/** Text that is known to be ASCII. Throws for any other. */
export function plainText(tag: number, vr: string, words: string): Element {
  const element = text(tag, vr, words);
  if (element === null) throw new Error("a text beyond ASCII");
  return element;
}

/** Two bytes for a number. */
export const short = (tag: number, value: number): Element => ({
  tag,
  vr: "US",
  value: Uint8Array.of(value & 0xff, value >> 8),
});

/** A whole file: zeroed preamble, new file meta, the data set in order of tags. */
export function encodeFile(sopClass: string, instance: string, elements: readonly Element[]): Uint8Array {
  const head = parts([
    { tag: 0x00020001, vr: "OB", value: Uint8Array.of(0, 1) },
    plainText(0x00020002, "UI", sopClass),
    plainText(0x00020003, "UI", instance),
    plainText(0x00020010, "UI", EXPLICIT),
    plainText(0x00020012, "UI", deriveUid("voxloop")),
    plainText(0x00020013, "SH", "VOXLOOP"),
  ]);
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, sizeOf(head), LITTLE);
  const start = new Uint8Array(132);
  start.set([0x44, 0x49, 0x43, 0x4d], 128);
  return join([start, ...parts([{ tag: 0x00020000, vr: "UL", value: size }]), ...head, ...parts(elements)]);
}

function parts(elements: readonly Element[]): Uint8Array[] {
  return [...elements]
    .sort((a, b) => a.tag - b.tag)
    .flatMap((element) => {
      const value = element.value instanceof Uint8Array ? element.value : itemsOf(element.value);
      return [headOf(element, value.length), value];
    });
}

function headOf({ tag, vr }: Element, length: number): Uint8Array {
  const isLong = LONG.has(vr);
  const head = new Uint8Array(isLong ? 12 : 8);
  const view = new DataView(head.buffer);
  view.setUint16(0, tag >>> 16, LITTLE);
  view.setUint16(2, tag & 0xffff, LITTLE);
  head[4] = vr.charCodeAt(0);
  head[5] = vr.charCodeAt(1);
  if (isLong) view.setUint32(8, length, LITTLE);
  else if (length > 0xffff) throw new RangeError("a value is too long");
  else view.setUint16(6, length, LITTLE);
  return head;
}

function itemsOf(items: readonly (readonly Element[])[]): Uint8Array {
  return join(
    items.flatMap((item) => {
      const body = parts(item);
      const head = new Uint8Array(8);
      head.set(ITEM);
      new DataView(head.buffer).setUint32(4, sizeOf(body), LITTLE);
      return [head, ...body];
    }),
  );
}

const sizeOf = (pieces: readonly Uint8Array[]): number => pieces.reduce((size, piece) => size + piece.length, 0);

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(sizeOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
