/**
 * Seals what lies in the browser, with a key that the server hands out to one person (AES-GCM, 256 bits). Over plain
 * http under another name than localhost browsers have no cryptography: then nothing is sealed, and only what must not
 * be lost is kept.
 */

import { faultOf, type Shape } from "../ground/check";
import { letGo } from "./handover";

/** Before everything sealed; what does not begin with it was kept in clear, by an older version or over plain http. */
const MARK = new TextEncoder().encode("VXS1");
const NONCE_BYTES = 12;

/** The key does not fit: sealed by another log-in or another person. Or it is of another version. */
export class Unreadable extends Error {}

type Bytes = Uint8Array<ArrayBuffer>;

export class Vault {
  static readonly plain = new Vault(null);

  private constructor(private readonly key: CryptoKey | null) {}

  /** Of a key in hexadecimal; without one, or where the browser cannot, nothing is sealed. */
  static async of(hex: string | undefined): Promise<Vault> {
    if (!hex || !globalThis.crypto?.subtle) return Vault.plain;
    const raw = Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
    return new Vault(await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]));
  }

  get seals(): boolean {
    return this.key !== null;
  }

  async seal(bytes: Uint8Array): Promise<Bytes> {
    if (!this.key) return bytes.slice();
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const sealed = new Uint8Array(
      await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, this.key, bytes as Bytes),
    );
    const out = new Uint8Array(MARK.length + NONCE_BYTES + sealed.length);
    out.set(MARK);
    out.set(nonce, MARK.length);
    out.set(sealed, MARK.length + NONCE_BYTES);
    letGo(sealed);
    return out;
  }

  /** Throws `Unreadable`. */
  async open(kept: Uint8Array): Promise<Bytes> {
    if (!MARK.every((byte, n) => kept[n] === byte)) return kept as Bytes;
    if (!this.key) throw new Unreadable("sealed");
    const nonce = kept.slice(MARK.length, MARK.length + NONCE_BYTES);
    try {
      return new Uint8Array(
        await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce }, this.key, kept.slice(MARK.length + NONCE_BYTES)),
      );
    } catch (error) {
      throw new Unreadable(String(error));
    }
  }

  /** A value of plain data and byte arrays as one sealed thing. */
  async sealValue(value: unknown): Promise<Bytes> {
    return this.seal(pack(value));
  }

  /** Throws `Unreadable`, also for a value of another shape; what is kept stays as it is. */
  async openValue<T>(kept: Uint8Array, shape: Shape<T>, parts: Readonly<Record<string, string>> = {}): Promise<T> {
    const value = unpack(await this.open(kept));
    const where = faultOf(value, shape, "kept", parts);
    if (where) throw new Unreadable(`This page does not understand what was kept in this browser (${where}).`);
    return value as T;
  }
}

/** Length of the JSON (4 bytes, little endian), the JSON, then the byte arrays that it names, one after the other. */
function pack(value: unknown): Uint8Array {
  const arrays: Uint8Array[] = [];
  const text = JSON.stringify(value, (_, inner: unknown) => {
    if (!(inner instanceof Uint8Array)) return inner;
    arrays.push(inner);
    return { $bytes: inner.length };
  });
  const json = new TextEncoder().encode(text ?? "null");
  const out = new Uint8Array(4 + json.length + arrays.reduce((sum, one) => sum + one.length, 0));
  new DataView(out.buffer).setUint32(0, json.length, true);
  out.set(json, 4);
  let at = 4 + json.length;
  for (const one of arrays) {
    out.set(one, at);
    at += one.length;
  }
  return out;
}

function unpack(bytes: Uint8Array): unknown {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const value: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let at = 4 + length;
  // Parents before what they hold, in the order in which they were written.
  const fill = (inner: unknown): unknown => {
    if (!inner || typeof inner !== "object") return inner;
    const size = (inner as { $bytes?: number }).$bytes;
    if (typeof size === "number") {
      const part = bytes.slice(at, at + size);
      at += size;
      return part;
    }
    if (Array.isArray(inner)) return inner.map(fill);
    return Object.fromEntries(Object.entries(inner).map(([name, one]) => [name, fill(one)]));
  };
  return fill(value);
}
