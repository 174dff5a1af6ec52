/** What a pane shows of its slice beside the image, as paths. */

import { difference, loopsOf, type Outlines, outlines, pathOf } from "../geometry/contour";
import { type Heat, heatOf } from "./heat";

/** Labels of a slice, row by row. */
export interface LabelSlice {
  readonly index: number;
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** What one pane shows of its slice beside the image. */
export interface PaneContents {
  labels: LabelSlice | null;
  outlines: Outlines[];
  overlays: { key: string; outlines: Outlines[] }[];
  added: Path2D | null;
  removed: Path2D | null;
  preview: Path2D | null;
  heat: readonly Heat[];
}

export const NOTHING_SHOWN: PaneContents = {
  labels: null,
  outlines: [],
  overlays: [],
  added: null,
  removed: null,
  preview: null,
  heat: [],
};

/** Which overlays are compared, counted as readers, or outlined. */
export interface Wanted {
  readonly against: string | null;
  /** What is compared with came after the mask: what is only there was added. */
  readonly isLater: boolean;
  readonly heat: readonly string[];
  readonly isShown: (key: string) => boolean;
}

type Scale = { readonly a: number; readonly b: number };

/** Outlines, differences and heat of the labels in `contents` and of the overlays beside them, anew. */
export function traceContents(
  contents: PaneContents,
  overlays: ReadonlyMap<string, LabelSlice>,
  scale: Scale,
  wanted: Wanted,
): void {
  const { labels } = contents;
  const outlinesOf = ({ data, width, height }: LabelSlice) => outlines(data, width, height, scale);
  contents.outlines = labels ? outlinesOf(labels) : [];
  contents.overlays = [];
  contents.added = contents.removed = null;
  contents.heat = heatBeside(labels, overlays, scale, wanted.heat);
  for (const [key, slice] of overlays) {
    if (key === wanted.against && labels) {
      const [now, before] = wanted.isLater ? [slice.data, labels.data] : [labels.data, slice.data];
      const changed = difference(now, before);
      contents.added = pathOf(loopsOf(changed, slice.width, slice.height, 1), scale);
      contents.removed = pathOf(loopsOf(changed, slice.width, slice.height, 2), scale);
    }
    if (wanted.isShown(key)) contents.overlays.push({ key, outlines: outlinesOf(slice) });
  }
}

function heatBeside(
  labels: LabelSlice | null,
  overlays: ReadonlyMap<string, LabelSlice>,
  scale: Scale,
  keys: readonly string[],
): Heat[] {
  const readers = keys.map((key) => overlays.get(key)).filter((slice) => slice !== undefined);
  if (!labels || !readers.length) return [];
  const slices = [labels, ...readers].map(({ data }) => data);
  return heatOf(slices, labels.width, labels.height, scale);
}
