/**
 * `window.voxloop`: facts of the open page for tests and for people who report a fault. It reads, it never changes anything.
 *
 * - `phase`            "opening" → "preview" (three planes usable) → "complete" (all slices in full) or "failed"
 * - `maskReady`        the mask is on screen and can be drawn on
 * - `times`            ms since navigation: `usable` (first three planes drawn), `complete` (full resolution)
 * - `backend`          "canvas" or "cornerstone-gpu" / "cornerstone-cpu"; `graphics` is what WebGL there is
 * - `frameMs`          duration of the last frame that drew images
 * - `cross`            crosshair voxel [i, j, k]
 * - `slices()`         slice on screen per plane
 * - `toScreen(plane, [i, j, k])`  client coordinates (for the mouse) of the middle of a voxel in that pane
 * - `toVoxel(plane, x, y)`        voxel [i, j, k] under client coordinates, null outside
 * - `regions`, `angles(plane)`   regions with their figures; screen directions of the two planes that cross a pane
 * - `saveState`, `strokes`, `history`   as the page shows them
 * - `working`          the operation that is under way, in words, or null
 * - `counts()`         voxels per segment on the whole mask: {"1": 1234}
 * - `changed()`        promise of the moment (`performance.now()`) at which the page hears of other counts
 * - `proposal`         what click-to-segment proposes now: {added, source, radiusMm, refusal, milliseconds, prompts}, or null
 * - `differences`      the list of differences as the page shows it: {against, index, list: [{kind, added, removed, ijk, checked}]}
 * - `sliceHash(plane, index)`     promise of a sha-256 of a slice's labels, to compare before and after
 * - `maskHash()`       promise of a sha-256 of all labels
 */

import type { Ijk, Plane } from "../editor/types";
import type { Desk } from "./desk";

export function exposeFacts(desk: Desk): void {
  const { session } = desk;
  const place = (plane: Plane) => {
    const pane = desk.view.value?.panes[plane];
    const box = pane?.marks?.getBoundingClientRect();
    return pane && box ? { pane, box } : null;
  };
  const hash = async (data: Uint8Array) =>
    [...new Uint8Array(await crypto.subtle.digest("SHA-256", data as BufferSource))]
      .map((b) => b.toString(16).padStart(2, "0"))
      .join("");
  const facts = {
    get phase() {
      return session.phase.value;
    },
    get failure() {
      return session.failure.value;
    },
    get maskReady() {
      return session.maskReady.value;
    },
    get times() {
      return { ...session.times };
    },
    get backend() {
      return desk.backendName.value;
    },
    get graphics() {
      return desk.graphics;
    },
    get frameMs() {
      return session.frameMs.value;
    },
    get cross() {
      return [...session.cross.value];
    },
    get fullSlices() {
      return session.fullSlices.value;
    },
    get saveState() {
      return session.save.value;
    },
    get strokes() {
      return session.strokes.value;
    },
    get history() {
      return session.history.value;
    },
    get working() {
      return session.working.value;
    },
    get lesions() {
      return session.lesions.value;
    },
    get nextLoaded() {
      return session.nextLoaded.value;
    },
    get regions() {
      return desk.view.value?.regions.list.value ?? [];
    },
    angles: (plane: Plane) => {
      const view = desk.view.value;
      return view ? view.planes.lines(view.panes[plane]).map(({ angle }) => angle) : [];
    },
    slices: () =>
      Object.fromEntries(Object.entries(desk.view.value?.panes ?? {}).map(([plane, pane]) => [plane, pane.index])),
    toScreen: (plane: Plane, ijk: Ijk) => {
      const found = place(plane);
      if (!found) return null;
      const [x, y] = found.pane.geometry.toScreen(ijk.map((v) => v + 0.5));
      return [found.box.left + x, found.box.top + y];
    },
    toVoxel: (plane: Plane, x: number, y: number) => {
      const found = place(plane);
      return found && found.pane.geometry.voxelAt(x - found.box.left, y - found.box.top, found.pane.index);
    },
    get differences() {
      const { against, differences, index } = desk.review;
      return {
        against: against.value?.key ?? null,
        index: index.value,
        list: differences.value.map((d) => ({
          kind: d.kind,
          added: d.added,
          removed: d.removed,
          ijk: d.ijk,
          checked: desk.review.isChecked(d),
        })),
      };
    },
    get proposal() {
      const { proposed } = session.clicks;
      if (!proposed.value) return null;
      const { added, source, radiusMm, refusal, milliseconds, prompts } = proposed.value;
      return { added, source, radiusMm, refusal, milliseconds, prompts };
    },
    counts: () =>
      Object.fromEntries(
        session.stats.value.segments.filter((s) => s.voxels > 0).map((s) => [String(s.segment), s.voxels]),
      ),
    changed: () =>
      new Promise<number>((resolve) => {
        const before = session.stats.peek();
        const stop = session.stats.subscribe((now) => {
          if (now !== before) {
            resolve(performance.now());
            queueMicrotask(() => stop());
          }
        });
      }),
    huAt: (i: number, j: number, k: number) => session.volume.value?.at(i, j, k) ?? null,
    sliceHash: async (plane: Plane, index: number) => hash((await session.editor.sliceLabels(plane, index)).data),
    maskHash: async () => {
      const [depth, rows, columns] = session.geometry.shapeZyx;
      const all = new Uint8Array(depth * rows * columns);
      for (let z = 0; z < depth; z++) all.set((await session.editor.sliceLabels("axial", z)).data, z * rows * columns);
      return hash(all);
    },
  };
  Object.defineProperty(window, "voxloop", { value: Object.freeze(facts) });
}
