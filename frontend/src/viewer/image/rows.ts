/**
 * A picture whose rows take long to make (slabs, oblique planes): every 16th row at once, each standing in for those
 * below it, then the rows between. Works in slices of time, so that the page answers meanwhile.
 */

const COARSEST = 16;

/**
 * Where row `n` of `height` comes in the order: 0, 16, 32, …, then 8, 24, …, then 4, 12, …, in the end the odd ones.
 */
function* turns(height: number): Generator<{ row: number; standsFor: number }> {
  for (let row = 0; row < height; row += COARSEST) yield { row, standsFor: Math.min(COARSEST, height - row) };
  for (let step = COARSEST / 2; step >= 1; step /= 2) {
    for (let row = step; row < height; row += 2 * step) yield { row, standsFor: Math.min(step, height - row) };
  }
}

export class RowsInTurn {
  readonly #turns: Generator<{ row: number; standsFor: number }>;
  #coarse: number;
  #left: number;

  /** `make` writes one row of `out`, which is `width` wide. */
  constructor(
    private readonly width: number,
    height: number,
    private readonly out: Int16Array,
    private readonly make: (row: number) => void,
  ) {
    this.#turns = turns(height);
    this.#coarse = Math.ceil(height / COARSEST);
    this.#left = height;
  }

  get finished(): boolean {
    return this.#left === 0;
  }

  /** Make rows for about `ms` milliseconds, the coarse ones in any case. */
  work(ms: number): void {
    const end = performance.now() + ms;
    while (this.#left > 0 && (this.#coarse > 0 || performance.now() < end)) {
      const { row, standsFor } = this.#turns.next().value as { row: number; standsFor: number };
      this.make(row);
      const from = row * this.width;
      for (let n = 1; n < standsFor; n++) this.out.copyWithin(from + n * this.width, from, from + this.width);
      this.#coarse--;
      this.#left--;
    }
  }
}
