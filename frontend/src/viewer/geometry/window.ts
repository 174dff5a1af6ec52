/** Windows: which HU are black, which white. */

export interface Window {
  readonly level: number;
  readonly width: number;
}

export interface Preset extends Window {
  readonly name: string;
  readonly key: string;
}

export const PRESETS: readonly [Preset, Preset, Preset] = [
  { name: "Lung", key: "Shift+1", level: -500, width: 1500 },
  { name: "Soft tissue", key: "Shift+2", level: 50, width: 400 },
  { name: "Bone", key: "Shift+3", level: 400, width: 1800 },
];

/** Windows of a scan by its modality: the HU presets, or for an X-ray the range of its own values. */
export function presetsOf(index: {
  readonly modality: string;
  readonly hu_range: readonly [number, number];
}): readonly [Preset, Preset, Preset] {
  if (index.modality === "CT") return PRESETS;
  const [low, high] = index.hu_range;
  const range = Math.max(1, high - low);
  const part = (name: string, key: string, from: number, to: number): Preset => ({
    name,
    key,
    level: Math.round(low + (range * (from + to)) / 2),
    width: Math.max(1, Math.round(range * (to - from))),
  });
  return [
    part("Whole range", "Shift+1", 0, 1),
    part("Dark half", "Shift+2", 0, 0.5),
    part("Bright half", "Shift+3", 0.5, 1),
  ];
}

/** The window that a scan is opened with. */
export function firstWindow(index: Parameters<typeof presetsOf>[0], isInLungs: boolean): Window {
  const [first, second] = presetsOf(index);
  return index.modality !== "CT" || isInLungs ? first : second;
}

const table = new Uint32Array(65536);
let made = "";

/**
 * RGBA words for every int16 value as the page keeps it, index value + 32 768; the window counts in value + `offset`.
 * The table is shared: use it before asking for another.
 */
export function greyTable({ level, width }: Window, offset = 0): Uint32Array {
  const key = `${level}/${width}/${offset}`;
  if (key === made) return table;
  made = key;
  const low = level - width / 2 - offset;
  const factor = 255 / Math.max(width, 1);
  for (let n = 0; n < 65536; n++) {
    const grey = Math.min(Math.max(Math.round((n - 32768 - low) * factor), 0), 255);
    table[n] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
  return table;
}
