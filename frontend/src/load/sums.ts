/** The sums by which slices are known again: the first 16 bytes of the sha256 of each codestream (docs/formats.md). */

import type { VolumeIndex } from "../ground/contract";

export const SUM_BYTES = 16;

/** The sums of an index, one after the other; null in one that was made before slices had sums. */
export function sumsOf({ pack }: VolumeIndex): Uint8Array | null {
  if (!pack.sums) return null;
  const raw = atob(pack.sums);
  return Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
}

/**
 * Which of the codestreams that lie one after the other in `bytes` are not those of `sums` (`SUM_BYTES` each): their
 * indices.
 */
export async function findDamaged(bytes: Uint8Array, lengths: readonly number[], sums: Uint8Array): Promise<number[]> {
  const damaged: number[] = [];
  for (let n = 0, start = 0; n < lengths.length; start += lengths[n++]!) {
    const found = await sha256(bytes.subarray(start, start + lengths[n]!));
    for (let b = 0; b < SUM_BYTES; b++)
      if (found[b] !== sums[n * SUM_BYTES + b]) {
        damaged.push(n);
        break;
      }
  }
  return damaged;
}

/**
 * The browser's own where the page is secure (https, localhost); over plain http it has none, and ours is three times
 * slower.
 */
export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  if (globalThis.crypto?.subtle)
    return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  return plainSha256(bytes);
}

/** Fractions of the cube roots of the first 64 primes and of the square roots of the first 8 (FIPS 180-4). */
const [ROUND, START] = constants();

/** SHA-256 of FIPS 180-4, section 6.2. */
export function plainSha256(bytes: Uint8Array): Uint8Array {
  const state = START.slice();
  const whole = bytes.length & ~63;
  for (let at = 0; at < whole; at += 64) compress(state, bytes, at);
  const tail = new Uint8Array(bytes.length - whole < 56 ? 64 : 128);
  tail.set(bytes.subarray(whole));
  tail[bytes.length - whole] = 0x80;
  const end = new DataView(tail.buffer);
  end.setUint32(tail.length - 8, Math.floor(bytes.length / 2 ** 29));
  end.setUint32(tail.length - 4, bytes.length << 3);
  for (let at = 0; at < tail.length; at += 64) compress(state, tail, at);
  const out = new DataView(new ArrayBuffer(32));
  state.forEach((word, n) => out.setUint32(4 * n, word));
  return new Uint8Array(out.buffer);
}

const words = new Int32Array(64);

function compress(state: Int32Array, bytes: Uint8Array, at: number): void {
  for (let n = 0; n < 16; n++, at += 4)
    words[n] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  for (let n = 16; n < 64; n++) {
    const x = words[n - 15]!,
      y = words[n - 2]!;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    words[n] = (words[n - 16]! + s0 + words[n - 7]! + s1) | 0;
  }
  let a = state[0]!,
    b = state[1]!,
    c = state[2]!,
    d = state[3]!,
    e = state[4]!,
    f = state[5]!,
    g = state[6]!,
    h = state[7]!;
  for (let n = 0; n < 64; n++) {
    const one =
      (h +
        (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))) +
        ((e & f) ^ (~e & g)) +
        ROUND[n]! +
        words[n]!) |
      0;
    const two =
      ((((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) +
        ((a & b) ^ (a & c) ^ (b & c))) |
      0;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, n) => {
    state[n] = (state[n]! + word) | 0;
  });
}

function constants(): readonly [Int32Array, Int32Array] {
  const primes: number[] = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
  const fraction = (root: number) => ((root - Math.floor(root)) * 2 ** 32) | 0;
  return [
    Int32Array.from(primes, (p) => fraction(Math.cbrt(p))),
    Int32Array.from(primes.slice(0, 8), (p) => fraction(Math.sqrt(p))),
  ];
}
