/** What the page keeps of an axial slice of the mask: its labels where anything is marked, and figures that need limit and overlay. */

import type { BitVolume } from "./bitvolume";
import type { Labelmap, SparseMask } from "./labelmap";
import { ERASED, type SliceFacts } from "./types";

/** `limit`, `other`: null where there is none to compare with. */
export function sliceFacts(labels: Labelmap, z: number, limit: BitVolume | null, other: SparseMask | null): SliceFacts {
  const [, height, width] = labels.shape;
  const { data } = labels.slice("axial", z);
  const against = other?.slice("axial", z).data ?? null;
  const rows = new Uint16Array(height),
    columns = new Uint16Array(width);
  let marked = 0,
    outside = 0,
    firstOutside = -1,
    added = 0,
    removed = 0;
  for (let y = 0, p = 0; y < height; y++)
    for (let x = 0; x < width; x++, p++) {
      const label = data[p];
      const on = label !== 0 && label !== ERASED;
      if (against && on !== (against[p] !== 0)) {
        if (on) added++;
        else removed++;
      }
      if (!on) continue;
      marked++;
      rows[y]++;
      columns[x]++;
      if (limit && !limit.has(z, y, x)) {
        if (!outside) firstOutside = p;
        outside++;
      }
    }
  const nothing = marked === 0;
  return {
    labels: nothing ? null : data,
    rows: nothing ? null : rows,
    columns: nothing ? null : columns,
    marked,
    outside,
    firstOutside,
    added,
    removed,
  };
}
