import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const WORTH_BYTES = 1000;

/** A `.gz` beside every script, style and WebAssembly file: WhiteNoise serves it to whoever accepts it. */
export function compress(folder: string): Plugin {
  return {
    name: "voxloop-compress",
    apply: "build",
    closeBundle() {
      for (const name of readdirSync(folder)) {
        if (!/\.(js|css|wasm)$/.test(name)) continue;
        const bytes = readFileSync(join(folder, name));
        if (bytes.length > WORTH_BYTES) writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes, { level: 9 }));
      }
    },
  };
}
