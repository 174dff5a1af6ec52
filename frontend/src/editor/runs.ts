/**
 * Runs: what a stroke changed, as stretches of consecutive voxels (in C order) with one label before and one after.
 * Ascending, disjoint, `before != after`. The same runs do, undo and redo a stroke, and go into the journal.
 */

export interface Runs {
  readonly count: number;
  readonly start: Uint32Array;
  readonly length: Uint32Array;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

export const NO_RUNS: Runs = {
  count: 0,
  start: new Uint32Array(0),
  length: new Uint32Array(0),
  before: new Uint8Array(0),
  after: new Uint8Array(0),
};

/** Collects runs in ascending order; neighbours with the same labels become one. */
export class RunBuilder {
  #count = 0;
  #start = new Uint32Array(256);
  #length = new Uint32Array(256);
  #before = new Uint8Array(256);
  #after = new Uint8Array(256);

  /** Adds a run that starts at or after the end of the last one. A run that changes nothing is left out. */
  push(start: number, length: number, before: number, after: number): void {
    if (before === after || length <= 0) return;
    const last = this.#count - 1;
    if (last >= 0) {
      const end = this.#start[last]! + this.#length[last]!;
      if (start < end) throw new RangeError("runs out of order");
      if (start === end && this.#before[last] === before && this.#after[last] === after) {
        this.#length[last]! += length;
        return;
      }
    }
    if (this.#count === this.#start.length) this.#grow();
    const n = this.#count++;
    this.#start[n] = start;
    this.#length[n] = length;
    this.#before[n] = before;
    this.#after[n] = after;
  }

  build(): Runs {
    const n = this.#count;
    return {
      count: n,
      start: this.#start.slice(0, n),
      length: this.#length.slice(0, n),
      before: this.#before.slice(0, n),
      after: this.#after.slice(0, n),
    };
  }

  #grow(): void {
    const size = this.#start.length * 2;
    const wider = <T extends Uint32Array | Uint8Array>(array: T, empty: T): T => {
      empty.set(array);
      return empty;
    };
    this.#start = wider(this.#start, new Uint32Array(size));
    this.#length = wider(this.#length, new Uint32Array(size));
    this.#before = wider(this.#before, new Uint8Array(size));
    this.#after = wider(this.#after, new Uint8Array(size));
  }
}

/** The same stretches the other way round. */
export const invert = (runs: Runs): Runs => ({ ...runs, before: runs.after, after: runs.before });

/** How many voxels the runs change. */
export function voxelsIn(runs: Runs): number {
  let sum = 0;
  for (let n = 0; n < runs.count; n++) sum += runs.length[n]!;
  return sum;
}

/** One set of runs that does what `first` and then `second` do; voxels that end as they began are left out. */
export function compose(first: Runs, second: Runs): Runs {
  if (first.count === 0) return second;
  if (second.count === 0) return first;
  const out = new RunBuilder();
  let a = 0,
    b = 0,
    at = 0;
  while (a < first.count || b < second.count) {
    const aStart = a < first.count ? Math.max(first.start[a]!, at) : Infinity;
    const bStart = b < second.count ? Math.max(second.start[b]!, at) : Infinity;
    const aEnd = a < first.count ? first.start[a]! + first.length[a]! : Infinity;
    const bEnd = b < second.count ? second.start[b]! + second.length[b]! : Infinity;
    if (aStart < bStart) {
      at = Math.min(aEnd, bStart);
      out.push(aStart, at - aStart, first.before[a]!, first.after[a]!);
    } else if (bStart < aStart) {
      at = Math.min(bEnd, aStart);
      out.push(bStart, at - bStart, second.before[b]!, second.after[b]!);
    } else {
      at = Math.min(aEnd, bEnd);
      out.push(aStart, at - aStart, first.before[a]!, second.after[b]!);
    }
    if (at >= aEnd) a++;
    if (at >= bEnd) b++;
  }
  return out.build();
}

/** Composes many small runs in the order they came; the cost stays near-linear because equal sizes are joined first. */
export class Composer {
  readonly #levels: (Runs | null)[] = [];

  add(runs: Runs): void {
    if (runs.count === 0) return;
    let sum = runs;
    for (let level = 0; ; level++) {
      const earlier = this.#levels[level];
      if (!earlier) {
        this.#levels[level] = sum;
        return;
      }
      sum = compose(earlier, sum);
      this.#levels[level] = null;
    }
  }

  total(): Runs {
    let sum: Runs = NO_RUNS;
    // Lower levels are later strokes.
    for (const earlier of this.#levels) if (earlier) sum = compose(earlier, sum);
    return sum;
  }
}

/** Compact bytes of runs: per run the gap since the last one and the length as varints, then both labels. */
export function encodeRuns(runs: Runs): Uint8Array {
  const out = new Uint8Array(5 + runs.count * 12);
  let size = 0;
  const varint = (value: number): void => {
    for (; value > 127; value = Math.floor(value / 128)) out[size++] = (value & 127) | 128;
    out[size++] = value;
  };
  varint(runs.count);
  let end = 0;
  for (let n = 0; n < runs.count; n++) {
    varint(runs.start[n]! - end);
    varint(runs.length[n]!);
    out[size++] = runs.before[n]!;
    out[size++] = runs.after[n]!;
    end = runs.start[n]! + runs.length[n]!;
  }
  return out.slice(0, size);
}

export function decodeRuns(bytes: Uint8Array): Runs {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const count = varint();
  const runs = {
    count,
    start: new Uint32Array(count),
    length: new Uint32Array(count),
    before: new Uint8Array(count),
    after: new Uint8Array(count),
  };
  let end = 0;
  for (let n = 0; n < count; n++) {
    runs.start[n] = end + varint();
    runs.length[n] = varint();
    runs.before[n] = bytes[at++]!;
    runs.after[n] = bytes[at++]!;
    end = runs.start[n]! + runs.length[n]!;
  }
  return runs;
}

/**
 * Splits `theirs` by where `mine` changed voxels too (both start from the same labels): what only they changed, and
 * where both did to different values (from my value to theirs).
 */
export function separate(theirs: Runs, mine: Runs): { apart: Runs; overlap: Runs } {
  const apart = new RunBuilder(),
    overlap = new RunBuilder();
  let m = 0;
  for (let n = 0; n < theirs.count; n++) {
    const end = theirs.start[n]! + theirs.length[n]!;
    let at = theirs.start[n]!;
    while (m > 0 && mine.start[m - 1]! + mine.length[m - 1]! > at) m--;
    while (m < mine.count && mine.start[m]! + mine.length[m]! <= at) m++;
    while (at < end) {
      const from = m < mine.count ? Math.max(at, Math.min(end, mine.start[m]!)) : end;
      apart.push(at, from - at, theirs.before[n]!, theirs.after[n]!);
      if (from === end) break;
      const to = Math.min(end, mine.start[m]! + mine.length[m]!);
      overlap.push(from, to - from, mine.after[m]!, theirs.after[n]!);
      at = to;
      if (to === mine.start[m]! + mine.length[m]!) m++;
    }
  }
  return { apart: apart.build(), overlap: overlap.build() };
}

/** Voxels that became part of a segment, and that ceased to be. */
export function tally(runs: Runs): { added: number; removed: number } {
  let added = 0,
    removed = 0;
  const isSegment = (label: number): boolean => label !== 0 && label !== 255;
  for (let n = 0; n < runs.count; n++) {
    if (isSegment(runs.after[n]!)) added += runs.length[n]!;
    if (isSegment(runs.before[n]!)) removed += runs.length[n]!;
  }
  return { added, removed };
}
