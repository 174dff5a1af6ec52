/** Codes and shifts by the site's secret key. Without the key none of them leads back. */

import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";

export const KEY_BYTES = 32;
const LETTERS = "BCDFGHJKLMNPQRSTVWXZ";
const CODE_LETTERS = 18;
const MOST_SHIFT_DAYS = 3650;
const UTF8 = new TextEncoder();

/** What takes the place of a patient: the code, and by how many days dates move (always back). */
export interface Person {
  readonly code: string;
  readonly shiftDays: number;
}

const numberOf = (bytes: Uint8Array): bigint => bytes.reduce((number, byte) => number * 256n + BigInt(byte), 0n);

/** The UID of the first 16 bytes of a digest, as a version 8 UUID of RFC 9562 where it is to be one. */
function uidOf(digest: Uint8Array, isUuid: boolean): string {
  const bytes = digest.slice(0, 16);
  if (isUuid) {
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  }
  return `2.25.${numberOf(bytes)}`;
}

/** A UID derived from text. */
export const deriveUid = (words: string): string => uidOf(sha256(UTF8.encode(words)), false);

export function hashOf(bytes: Uint8Array): string {
  return hex(sha256(bytes));
}

export const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export class SiteKeys {
  /** The secret stays out of what an inspector or a log shows. */
  readonly #secret: Uint8Array;

  /** Throws RangeError for a key of another length. */
  constructor(secret: Uint8Array) {
    if (secret.length !== KEY_BYTES) throw new RangeError(`a key has ${KEY_BYTES} bytes`);
    this.#secret = secret;
  }

  /** The replacement of a UID. */
  uid(original: string): string {
    return uidOf(this.#digest("uid", original), true);
  }

  /** Code and shift of a patient, by the Patient ID, or without one by the study. */
  person(kind: "patient" | "study", identifier: string): Person {
    let number = numberOf(this.#digest("subject", kind, identifier));
    let code = "P-";
    for (let n = 0; n < CODE_LETTERS; n++) {
      code += LETTERS.charAt(Number(number % BigInt(LETTERS.length)));
      number /= BigInt(LETTERS.length);
    }
    const days = Number(numberOf(this.#digest("shift", kind, identifier).slice(0, 8)) % BigInt(MOST_SHIFT_DAYS)) + 1;
    return { code, shiftDays: -days };
  }

  #digest(...words: string[]): Uint8Array {
    return hmac(sha256, this.#secret, UTF8.encode(words.join("\0")));
  }
}
