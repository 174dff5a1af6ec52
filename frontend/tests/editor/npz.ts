/** Reads numpy's .npz, enough for the brush cases on real nodules. */

import { readFileSync } from "node:fs";
import { inflateRawSync } from "node:zlib";

export interface NpyArray {
  readonly descr: string;
  readonly shape: number[];
  readonly bytes: Uint8Array;
}

/** Gives the arrays of a file by name; a name that the file lacks is an error. */
export function readNpz(path: string): (name: string) => NpyArray {
  const file = readFileSync(path);
  const arrays = new Map<string, NpyArray>();
  const end = file.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  let at = file.readUInt32LE(end + 16);
  for (let left = file.readUInt16LE(end + 10); left > 0; left--) {
    const method = file.readUInt16LE(at + 10),
      packed = file.readUInt32LE(at + 20);
    const nameLength = file.readUInt16LE(at + 28);
    const name = file.toString("utf8", at + 46, at + 46 + nameLength);
    const local = file.readUInt32LE(at + 42);
    const from = local + 30 + file.readUInt16LE(local + 26) + file.readUInt16LE(local + 28);
    const body = file.subarray(from, from + packed);
    arrays.set(name.replace(/\.npy$/, ""), readNpy(method === 8 ? inflateRawSync(body) : body));
    at += 46 + nameLength + file.readUInt16LE(at + 30) + file.readUInt16LE(at + 32);
  }
  return (name) => {
    const found = arrays.get(name);
    if (!found) throw new Error(`${path} holds no ${name}`);
    return found;
  };
}

function readNpy(file: Buffer): NpyArray {
  const wide = file[6]! > 1;
  const length = wide ? file.readUInt32LE(8) : file.readUInt16LE(8);
  const from = (wide ? 12 : 10) + length;
  const header = file.toString("latin1", wide ? 12 : 10, from);
  const descr = /'descr': '([^']+)'/.exec(header)![1]!;
  const shape = /'shape': \(([^)]*)\)/
    .exec(header)![1]!
    .split(",")
    .filter((n) => n.trim())
    .map(Number);
  return { descr, shape, bytes: new Uint8Array(file.subarray(from)).slice() };
}

export const numbers = (array: NpyArray): number[] => {
  if (array.descr === "<f8") return [...new Float64Array(array.bytes.buffer)];
  if (array.descr === "<i8") return [...new BigInt64Array(array.bytes.buffer)].map(Number);
  throw new Error(`no numbers: ${array.descr}`);
};

export const text = (array: NpyArray): string =>
  String.fromCodePoint(...new Uint32Array(array.bytes.buffer)).replace(/\0+$/, "");
