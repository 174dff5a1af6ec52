/**
 * Lossless JPEG of one grey image (ITU-T T.81, process 14, annex H): what most scanners and archives pack with.
 * Comments and what else lies between the markers are passed over.
 */

import { Refusal } from "./refusal";

const SOF_LOSSLESS = 0xc3;
const DHT = 0xc4;
const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const DRI = 0xdd;
const LONGEST_CODE = 16;

const cut = (): Refusal => new Refusal("truncated_pixels", "The compressed pixels of a slice end early.");
const damaged = (): Refusal => new Refusal("bad_pixels", "The compressed pixels of a slice are damaged.");

interface Scan {
  readonly rows: number;
  readonly columns: number;
  readonly bits: number;
  readonly predictor: number;
  /** The point transform: by how many bits values were shifted. */
  readonly shift: number;
  /** Samples between two restarts; 0: none. */
  readonly interval: number;
  /** For 16 bits of the stream: the length of the code times 32, and how many bits of the difference follow it. */
  readonly codes: Uint16Array;
  /** Where the coded samples begin. */
  readonly at: number;
}

/** Stored values, row by row. Throws `Refusal` (`bad_pixels`, `truncated_pixels`). */
export function unpackJpeg(frame: Uint8Array, rows: number, columns: number): Uint16Array {
  const scan = readScan(frame, `${rows}×${columns}`);
  if (scan.rows !== rows || scan.columns !== columns) {
    const coded = `${scan.rows}×${scan.columns}`;
    throw new Refusal("bad_pixels", `A slice is coded as ${coded} but declared as ${rows}×${columns} pixels.`);
  }
  if (!isEnded(frame)) throw cut();
  const line = scan.interval / columns;
  if (!Number.isInteger(line)) throw damaged();
  const stream = new Stream(frame, scan.at);
  const out = new Uint16Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const isFirst = row === 0 || (line > 0 && row % line === 0);
    if (isFirst && row > 0) stream.restart();
    unpackRow(stream, scan, out, row, isFirst);
  }
  stream.check();
  return scan.shift ? out.map((value) => value << scan.shift) : out;
}

function unpackRow(stream: Stream, scan: Scan, out: Uint16Array, row: number, isFirst: boolean): void {
  const { columns, codes, predictor } = scan;
  const start = row * columns;
  const first = isFirst ? 1 << (scan.bits - scan.shift - 1) : out[start - columns]!;
  out[start] = first + stream.difference(codes);
  for (let at = start + 1; at < start + columns; at++) {
    const left = out[at - 1]!;
    const guess = isFirst ? left : predict(predictor, left, out[at - columns]!, out[at - columns - 1]!);
    out[at] = guess + stream.difference(codes);
  }
}

/** Table H.1. */
function predict(predictor: number, left: number, above: number, corner: number): number {
  if (predictor === 1) return left;
  if (predictor === 2) return above;
  if (predictor === 3) return corner;
  if (predictor === 4) return left + above - corner;
  if (predictor === 5) return left + ((above - corner) >> 1);
  if (predictor === 6) return above + ((left - corner) >> 1);
  return (left + above) >> 1;
}

/** Whether the end stands after the last scan; neither marker can occur in coded samples. */
function isEnded(frame: Uint8Array): boolean {
  for (let at = frame.length - 2; at >= 0; at--)
    if (frame[at] === 0xff && (frame[at + 1] === EOI || frame[at + 1] === SOS)) return frame[at + 1] === EOI;
  return false;
}

/** Everything that stands before the samples. */
function readScan(frame: Uint8Array, declared: string): Scan {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const head: Head = { rows: 0, columns: 0, bits: 0, interval: 0, tables: new Map() };
  const broken = (): Refusal =>
    head.bits
      ? isEnded(frame)
        ? damaged()
        : cut()
      : new Refusal("bad_pixels", `A slice is coded as something else but declared as ${declared} pixels.`);
  if (frame[0] !== 0xff || frame[1] !== SOI) throw broken();
  for (let at = 2; at + 4 <= frame.length; ) {
    if (frame[at] !== 0xff) throw broken();
    const marker = frame[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    const length = view.getUint16(at + 2);
    const body = frame.subarray(at + 4, at + 2 + length);
    if (marker === EOI || body.length < length - 2) throw broken();
    at += 2 + length;
    if (marker === SOS) return scanOf(body, head, at);
    readSegment(marker, body, head);
  }
  throw broken();
}

/** What the segments before the samples say. */
interface Head {
  rows: number;
  columns: number;
  bits: number;
  interval: number;
  readonly tables: Map<number, Uint16Array>;
}

const two = (body: Uint8Array, at: number): number => body[at]! * 256 + body[at + 1]!;

function readSegment(marker: number, body: Uint8Array, head: Head): void {
  if (marker === DHT) readCodes(body, head.tables);
  else if (marker === DRI) head.interval = two(body, 0);
  else if (marker === SOF_LOSSLESS) {
    if (body[5] !== 1) throw new Refusal("bad_pixels", "The compressed pixels of a slice are not one grey image.");
    Object.assign(head, { bits: body[0]!, rows: two(body, 1), columns: two(body, 3) });
  } else if (isOtherFrame(marker)) {
    throw new Refusal(
      "compressed_here",
      "The images are compressed in a way that this page cannot unpack; export them uncompressed, or use " +
        "manage.py send.",
    );
  }
}

function scanOf(body: Uint8Array, { tables, ...head }: Head, at: number): Scan {
  const codes = tables.get(body[2]! >> 4);
  const predictor = body[3]!;
  if (!head.bits || !codes || body[0] !== 1 || predictor < 1 || predictor > 7) throw damaged();
  return { ...head, predictor, shift: body[5]! & 15, codes, at };
}

/** Whether a marker begins a frame of another process. */
const isOtherFrame = (marker: number): boolean =>
  marker === 0xf7 || (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc8 && marker !== 0xcc);

/** Tables of Huffman codes (B.2.4.2, C.2). */
function readCodes(body: Uint8Array, tables: Map<number, Uint16Array>): void {
  for (let at = 0; at + 17 <= body.length; ) {
    const counts = body.subarray(at + 1, at + 17);
    const id = body[at]! & 15;
    const codes = new Uint16Array(1 << LONGEST_CODE);
    let value = at + 17;
    let code = 0;
    for (let length = 1; length <= LONGEST_CODE; length++) {
      for (let n = 0; n < counts[length - 1]!; n++, value++, code++) {
        const from = code << (LONGEST_CODE - length);
        if (value >= body.length || from >= codes.length) throw damaged();
        codes.fill(length * 32 + (body[value]! & 31), from, from + (1 << (LONGEST_CODE - length)));
      }
      code <<= 1;
    }
    tables.set(id, codes);
    at = value;
  }
}

/** Bits of the coded samples, highest first; beyond a marker there are zeros, which nobody may use. */
class Stream {
  #bits = 0;
  #count = 0;
  #missing = 0;

  constructor(
    private readonly data: Uint8Array,
    private at: number,
  ) {}

  /** The next difference (H.1.2.2). */
  difference(codes: Uint16Array): number {
    this.#fill();
    const entry = codes[(this.#bits >> (this.#count - LONGEST_CODE)) & 0xffff]!;
    if (!entry) throw damaged();
    this.#count -= entry >> 5;
    const size = entry & 31;
    if (size === 0) return 0;
    if (size === 16) return 32768;
    this.#fill();
    this.#count -= size;
    const value = (this.#bits >> this.#count) & ((1 << size) - 1);
    return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
  }

  /** Go on behind the next restart marker. */
  restart(): void {
    this.check();
    [this.#bits, this.#count, this.#missing] = [0, 0, 0];
    while (this.at < this.data.length && this.data[this.at] !== 0xff) this.at++;
    const marker = this.data[this.at + 1] ?? 0;
    if (marker < 0xd0 || marker > 0xd7) throw damaged();
    this.at += 2;
  }

  /** Throws where more was used than there is. */
  check(): void {
    if (this.#missing > this.#count) throw damaged();
  }

  #fill(): void {
    while (this.#count < LONGEST_CODE) {
      this.#bits = ((this.#bits << 8) | this.#next()) & 0xffffff;
      this.#count += 8;
    }
  }

  #next(): number {
    const byte = this.data[this.at];
    if (byte === 0xff && this.data[this.at + 1] === 0) this.at += 2;
    else if (byte === undefined || byte === 0xff) {
      this.#missing += 8;
      return 0;
    } else this.at++;
    return byte;
  }
}
