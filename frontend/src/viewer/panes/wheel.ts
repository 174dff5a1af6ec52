/** How far a wheel was turned, alike in every browser. */

/** Travel of half a notch. A trackpad sends many small parts of it. */
export const HALF_NOTCH = 50;

/** What browsers have beside the standard: 120 for every notch of a wheel, whatever they make of it in pixels. */
const NOTCH_OF_DELTA = 120;

/** Lines of a notch, where a browser counts in lines. */
const LINES = 3;
/** `deltaMode` of a wheel event: pixels are 0. */
const BY_LINE = 1,
  BY_PAGE = 2;

type Turned = Pick<WheelEvent, "deltaX" | "deltaY" | "deltaMode"> & {
  readonly wheelDeltaX?: number;
  readonly wheelDeltaY?: number;
};

/**
 * Travel of a wheel event, 100 for a notch; down (or to the right) is positive. A notch is 100 to 120 pixels in
 * Chromium, three or six lines in Firefox, and in WebKit the fewer pixels the lower the window (104 of 1,060, 45 of
 * 300): so notches are counted where the browser tells of whole ones.
 */
export function travelOf(event: Turned): number {
  const { deltaMode } = event;
  const delta = event.deltaY || event.deltaX;
  if (!delta) return 0;
  const notches = Math.abs((event.deltaY ? event.wheelDeltaY : event.wheelDeltaX) ?? 0) / NOTCH_OF_DELTA;
  if (notches >= 1 && Number.isInteger(notches)) return Math.sign(delta) * notches * 2 * HALF_NOTCH;
  if (deltaMode === BY_LINE) return (delta / LINES) * 2 * HALF_NOTCH;
  return deltaMode === BY_PAGE ? Math.sign(delta) * 2 * HALF_NOTCH : delta;
}

/** Collects travel, and gives it out in half notches. */
export class Wheel {
  #travel = 0;

  /** Half notches that are full now; another direction begins anew. */
  turn(travel: number): number {
    if (Math.sign(travel) !== Math.sign(this.#travel)) this.#travel = 0;
    this.#travel += travel;
    const halves = Math.trunc(this.#travel / HALF_NOTCH);
    this.#travel -= halves * HALF_NOTCH;
    return halves;
  }

  forget(): void {
    this.#travel = 0;
  }
}

/** Slices for half notches: one for every notch that was begun, however it comes in parts. */
export function slicesOf(halves: number): number {
  return halves > 0 ? Math.ceil(halves / 2) : Math.floor(halves / 2);
}
