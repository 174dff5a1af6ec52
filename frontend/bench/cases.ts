/** The cases that a benchmark in Python lays out for a script: `NAME.json` beside files of raw voxels. */

import { readdirSync, readFileSync } from "node:fs";
import { BitVolume } from "../src/editor/bitvolume";
import type { Zyx } from "../src/editor/types";

export interface Found<Case> {
  readonly name: string;
  readonly case: Case;
  /** int16, z-y-x. */
  readonly hu: Int16Array;
  /** Another file of the case, a byte a voxel. */
  readonly bytes: (part: string) => Uint8Array;
  /** The voxels of the file `limit`. */
  readonly limit: () => BitVolume;
}

/** The cases of the folder that is named on the command line, in the order of their names. */
export function* casesOf<Case extends { readonly shape_zyx: Zyx }>(): Generator<Found<Case>> {
  const [folder] = process.argv.slice(2);
  if (!folder) throw new Error("Name the folder of the cases.");
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith(".json")) continue;
    const name = file.replace(/\.json$/, "");
    const found = JSON.parse(readFileSync(`${folder}/${file}`, "utf8")) as Case;
    const bytes = (part: string) => new Uint8Array(readFileSync(`${folder}/${name}.${part}`));
    const limit = () => {
      const bits = new BitVolume(found.shape_zyx);
      bytes("limit").forEach((bit, n) => {
        const x = n % found.shape_zyx[2];
        if (bit) bits.bits[Math.floor(n / found.shape_zyx[2]) * bits.wordsPerRow + (x >>> 5)]! |= 1 << (x & 31);
      });
      return bits;
    };
    yield { name, case: found, hu: new Int16Array(bytes("hu").buffer), bytes, limit };
  }
}
