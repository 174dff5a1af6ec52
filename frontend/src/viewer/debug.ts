/**
 * `window.voxloop`: facts of the open page for tests and for people who report a fault. It reads, it never changes
 * anything.
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
 * - `slicesSeen`, `isSeen(z)`     how many axial slices were looked at, and whether one was
 * - `regions`, `angles(plane)`   regions with their figures; screen directions of the two planes that cross a pane
 * - `saveState`, `strokes`, `history`   as the page shows them
 * - `working`          the operation that is under way, in words, or null
 * - `counts()`         voxels per segment on the whole mask: {"1": 1234}
 * - `changed()`        promise of the moment (`performance.now()`) at which the page hears of other counts
 * - `proposal`         what click-to-segment proposes now: {added, source, radiusMm, refusal, milliseconds, prompts},
 *                      or null
 * - `differences`      the list of differences as the page shows it: {against, index, list: [{kind, added, removed,
 *                      ijk, checked}]}
 * - `proposed`         the lesions of the model as the page shows them: {index, left, fates, list}
 * - `measurements`     distances, one's own and those of others: [{from, to, isForeign}]
 * - `sliceHash(plane, index)`     promise of a sha-256 of a slice's labels, to compare before and after
 * - `maskHash()`       promise of a sha-256 of all labels
 */

import type { Ijk, Plane } from "../editor/types";
import type { Desk } from "./desk/desk";
import { middleOf } from "./geometry/grid";

export function exposeFacts(desk: Desk): void {
  const facts = Object.defineProperties(
    {},
    {
      ...Object.getOwnPropertyDescriptors(stateOf(desk)),
      ...Object.getOwnPropertyDescriptors(pageOf(desk)),
      ...Object.getOwnPropertyDescriptors(positionsOf(desk)),
      ...Object.getOwnPropertyDescriptors(maskOf(desk)),
    },
  );
  Object.defineProperty(window, "voxloop", { value: Object.freeze(facts) });
}

/** How far the scan has come and what has been done to it. */
function stateOf({ session }: Desk) {
  return {
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
    get slicesSeen() {
      return session.looks.count.value;
    },
    isSeen: (z: number) => session.looks.has(z),
    get nextLoaded() {
      return session.nextLoaded.value;
    },
  };
}

/** What the page shows beside the scan. */
function pageOf(desk: Desk) {
  return {
    get backend() {
      return desk.images.name.value;
    },
    get graphics() {
      return desk.images.graphics;
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
    get regions() {
      return desk.stage.value?.regions.list.value ?? [];
    },
    get measurements() {
      return desk.stage.value?.measurements.value ?? [];
    },
    get proposed() {
      const { list, index, left } = desk.proposed;
      return { index: index.value, left: left.value, fates: list.value.map(({ fate }) => fate), list: list.value };
    },
  };
}

/** Where things are on the screen and in the volume. */
function positionsOf(desk: Desk) {
  const paneOf = (plane: Plane) => {
    const pane = desk.stage.value?.panes[plane];
    const box = pane?.marks?.getBoundingClientRect();
    return pane && box ? { pane, box } : null;
  };
  return {
    angles: (plane: Plane) => {
      const stage = desk.stage.value;
      return stage ? stage.planes.lines(stage.panes[plane]).map(({ angle }) => angle) : [];
    },
    slices: () =>
      Object.fromEntries(Object.entries(desk.stage.value?.panes ?? {}).map(([plane, pane]) => [plane, pane.index])),
    toScreen: (plane: Plane, ijk: Ijk) => {
      const found = paneOf(plane);
      if (!found) return null;
      const [x, y] = found.pane.geometry.toScreen(middleOf(ijk));
      return [found.box.left + x, found.box.top + y];
    },
    toVoxel: (plane: Plane, x: number, y: number) => {
      const found = paneOf(plane);
      return found && found.pane.geometry.voxelAt(x - found.box.left, y - found.box.top, found.pane.index);
    },
    huAt: (i: number, j: number, k: number) => desk.session.volume.value?.at(i, j, k) ?? null,
  };
}

/** The mask, and what would change it. */
function maskOf({ session }: Desk) {
  return {
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
    sliceHash: async (plane: Plane, index: number) => hash((await session.editor.sliceLabels(plane, index)).data),
    maskHash: async () => {
      const [depth, rows, columns] = session.geometry.shapeZyx;
      const all = new Uint8Array(depth * rows * columns);
      for (let z = 0; z < depth; z++) all.set((await session.editor.sliceLabels("axial", z)).data, z * rows * columns);
      return hash(all);
    },
  };
}

async function hash(data: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data as BufferSource));
  return [...digest].map((b) => b.toString(16).padStart(2, "0")).join("");
}
