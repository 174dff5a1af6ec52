/** Windows: which HU are black, which white. */

export interface Window { readonly level: number; readonly width: number }

export interface Preset extends Window { readonly name: string; readonly key: string }

export const PRESETS: readonly Preset[] = [
  { name: "Lung", key: "Shift+1", level: -500, width: 1500 },
  { name: "Soft tissue", key: "Shift+2", level: 50, width: 400 },
  { name: "Bone", key: "Shift+3", level: 400, width: 1800 },
];

const table = new Uint32Array(65536);
let made = "";

/** RGBA words for every int16 value, index HU + 32 768. The table is shared: use it before asking for another. */
export function greyTable({ level, width }: Window): Uint32Array {
  const key = `${level}/${width}`;
  if (key === made) return table;
  made = key;
  const low = level - width / 2;
  const factor = 255 / Math.max(width, 1);
  for (let n = 0; n < 65536; n++) {
    const grey = Math.min(Math.max(Math.round((n - 32768 - low) * factor), 0), 255);
    table[n] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
  return table;
}
