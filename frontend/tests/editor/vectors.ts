/** The vectors that drive Python and TypeScript alike (tests/vectors at the top of the repository). */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const path = (name: string): string => fileURLToPath(new URL(`../../../tests/vectors/${name}`, import.meta.url));

export const readVectors = <T>(name: string): T => JSON.parse(readFileSync(path(name), "utf8")) as T;
export const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, "base64"));
export const inflate = (base64: string): Uint8Array => new Uint8Array(gunzipSync(Buffer.from(base64, "base64")));
export const inflateInt16 = (base64: string): Int16Array => new Int16Array(inflate(base64).slice().buffer);
