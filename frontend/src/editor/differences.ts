/**
 * What differs between two masks, lesion by lesion: the connected parts of both together (26-connected, whatever
 * segment), and in each what one has and the other has not. Erased voxels count as background.
 */

import { amountOf } from "../ground/amount";
import { CHUNK_VOXELS } from "./chunks";
import { componentsOf } from "./components";
import { Extent } from "./extent";
import type { Labelmap } from "./labelmap";
import type { Stretches } from "./stretches";
import { RunBuilder, type Runs } from "./runs";
import type { SparseMask } from "./sparsemask";
import { type Box, type Difference, ERASED, type Ijk, type Zyx } from "./types";

/** A stretch within a row: the label of the mask, of the other, and the part that it belongs to. */
interface Piece {
  readonly start: number;
  readonly length: number;
  readonly now: number;
  readonly before: number;
}

/**
 * Stretches where at least one of both marks something, ascending. `now` is the first mask's label with 255 as it is.
 */
function piecesOf(mask: Stretches, other: Stretches): Piece[] {
  const flat = (from: Stretches): number[] => {
    const list: number[] = [];
    from.forEachStretch((start, length, label) => list.push(start, length, label));
    return list;
  };
  const a = flat(mask),
    b = flat(other);
  const pieces: Piece[] = [];
  let p = 0,
    q = 0,
    at = 0;
  while (p < a.length || q < b.length) {
    const aStart = Math.max(startOf(a, p), at),
      bStart = Math.max(startOf(b, q), at);
    const aEnd = endOf(a, p),
      bEnd = endOf(b, q);
    const from = Math.min(aStart, bStart);
    const now = aStart === from ? a[p + 2]! : 0,
      before = bStart === from ? b[q + 2]! : 0;
    at = Math.min(aStart === from ? aEnd : aStart, bStart === from ? bEnd : bStart);
    if (isMarked(now) || isMarked(before))
      pieces.push({ start: from, length: at - from, now, before: isMarked(before) ? before : 0 });
    if (at >= aEnd) p += 3;
    if (at >= bEnd) q += 3;
  }
  return pieces;
}

/** Where the stretch at `n` of a list start, length, label, … begins and ends; never, after the last one. */
const startOf = (list: readonly number[], n: number): number => list[n] ?? Infinity;
const endOf = (list: readonly number[], n: number): number => (n < list.length ? list[n]! + list[n + 1]! : Infinity);

const isMarked = (label: number): boolean => label !== 0 && label !== ERASED;

interface Part {
  readonly pieces: Piece[];
}

function partsOf(mask: Stretches, other: Stretches): Part[] {
  const pieces = piecesOf(mask, other);
  const parts = componentsOf({
    shape: mask.shape,
    forEachStretch: (visit) => {
      for (const { start, length } of pieces) visit(start, length, 1);
    },
  });
  const stretches = parts
    .flatMap((part, n) => Array.from(part.starts, (start, m) => ({ start, end: start + part.lengths[m]!, part: n })))
    .sort((x, y) => x.start - y.start);
  const found: Part[] = parts.map(() => ({ pieces: [] }));
  let s = 0;
  for (const piece of pieces) {
    // Every piece lies in a stretch of a part.
    while (stretches[s]!.end <= piece.start) s++;
    found[stretches[s]!.part]!.pieces.push(piece);
  }
  return found;
}

/** Every part in which the masks differ, the largest change first. */
export function differencesOf(mask: Labelmap, other: Stretches, spacing: Zyx): Difference[] {
  const voxelMl = amountOf(1, mask.shape, spacing);
  const found: Difference[] = [];
  for (const { pieces } of partsOf(mask, other)) {
    let added = 0,
      removed = 0,
      relabelled = 0,
      now = 0,
      before = 0;
    const labels = new Map<number, number>();
    for (const piece of pieces) {
      const [has, had] = [isMarked(piece.now), isMarked(piece.before)];
      if (has) now += piece.length;
      if (had) before += piece.length;
      if (has && !had) added += piece.length;
      else if (had && !has) removed += piece.length;
      else if (piece.now !== piece.before) relabelled += piece.length;
      const label = has ? piece.now : piece.before;
      labels.set(label, (labels.get(label) ?? 0) + piece.length);
    }
    if (added + removed + relabelled === 0) continue;
    found.push({
      kind: before === 0 ? "added" : now === 0 ? "removed" : "changed",
      segment: [...labels].reduce((most, entry) => (entry[1] > most[1] ? entry : most))[0],
      added,
      removed,
      relabelled,
      ml: now * voxelMl,
      addedMl: added * voxelMl,
      removedMl: removed * voxelMl,
      relabelledMl: relabelled * voxelMl,
      box: boxOf(pieces, mask.shape),
      ijk: voxelToShow(pieces, mask.shape),
    });
  }
  return found.sort((x, y) => y.added + y.removed + y.relabelled - (x.added + x.removed + x.relabelled));
}

/** Whether two masks are the same voxel for voxel, erased ones too. */
export function isSameMask(mask: Labelmap, other: SparseMask): boolean {
  const [mine, theirs] = [new Uint8Array(CHUNK_VOXELS), new Uint8Array(CHUNK_VOXELS)];
  return [...new Set([...mask.occupiedChunks(), ...other.chunkNumbers()])].every((chunk) => {
    mask.readChunk(mask.chunkIndex(chunk), mine);
    const read = other.readChunk(chunk, theirs.fill(0)) ?? theirs.fill(0);
    return mine.every((label, n) => label === read[n]);
  });
}

/** Runs that make the part under a voxel what it is in the other mask; locked segments stay. */
export function revertRuns(
  mask: Labelmap,
  other: Stretches,
  [i, j, k]: Ijk,
  locked: readonly number[],
): { runs: Runs; segment: number } {
  const at = mask.indexOf(k, j, i);
  const part = partsOf(mask, other).find(({ pieces }) =>
    pieces.some(({ start, length }) => at >= start && at < start + length),
  );
  const out = new RunBuilder();
  let segment = 0;
  for (const { start, length, now, before } of part?.pieces ?? []) {
    if (locked.includes(now) || locked.includes(before)) continue;
    out.push(start, length, now, before);
    segment ||= before || now;
  }
  return { runs: out.build(), segment };
}

function placed(at: number, [, ny, nx]: Zyx): [number, number, number] {
  const row = Math.floor(at / nx);
  return [at - row * nx, row % ny, Math.floor(row / ny)];
}

function boxOf(pieces: readonly Piece[], shape: Zyx): Box {
  const extent = new Extent(shape);
  for (const { start, length } of pieces) extent.add(start, length);
  return extent.box();
}

/** A changed voxel on the slice that changed most, the one nearest to the middle of the change there. */
function voxelToShow(pieces: readonly Piece[], shape: Zyx): Ijk {
  const changed = pieces.filter(({ now, before }) => (isMarked(now) ? now : 0) !== before);
  const slices = new Map<number, { voxels: number; x: number; y: number }>();
  for (const { start, length } of changed) {
    const [x, y, z] = placed(start, shape);
    const slice = slices.get(z) ?? { voxels: 0, x: 0, y: 0 };
    slice.voxels += length;
    slice.x += (x + (length - 1) / 2) * length;
    slice.y += y * length;
    slices.set(z, slice);
  }
  const [k, { voxels, x: sumX, y: sumY }] = [...slices].reduce((most, entry) =>
    entry[1].voxels > most[1].voxels ? entry : most,
  );
  const [middleX, middleY] = [sumX / voxels, sumY / voxels];
  let best: Ijk = [0, 0, k],
    least = Infinity;
  for (const { start, length } of changed) {
    const [x, y, z] = placed(start, shape);
    if (z !== k) continue;
    const i = Math.min(x + length - 1, Math.max(x, Math.round(middleX)));
    const d2 = (i - middleX) ** 2 + (y - middleY) ** 2;
    if (d2 < least) {
      least = d2;
      best = [i, y, k];
    }
  }
  return best;
}
