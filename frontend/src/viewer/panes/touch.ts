/**
 * Fingers on a pane: one does what the tool says, two move and zoom. A finger waits a moment before its press counts,
 * so that the first of two draws nothing; when the second comes later, what the first began is taken back.
 */

export interface Fingers {
  /** The press of one finger counts. */
  begin(event: PointerEvent): boolean;
  /** A second finger came: take back what the first began. */
  drop(): void;
  /** Two fingers have moved: zoom by `factor` around client point (x, y) after moving by (dx, dy), CSS pixels. */
  pinch(factor: number, x: number, y: number, dx: number, dy: number): void;
}

/** A second finger of a pinch comes within this time; a finger that has moved this far means to draw. */
const WAIT_MS = 90,
  DRAG_PX = 8;

interface Point {
  readonly x: number;
  readonly y: number;
}

export class Touch {
  readonly #down = new Map<number, Point>();
  #waiting: { readonly event: PointerEvent; readonly timer: ReturnType<typeof setTimeout> } | null = null;
  /** Until every finger is gone, none draws. */
  #pinching = false;

  constructor(private readonly fingers: Fingers) {}

  get isDown(): boolean {
    return this.#down.size > 0;
  }

  /** `busy`: a pen or the mouse is drawing; the palm beside it means nothing. */
  down(event: PointerEvent, busy: boolean): void {
    if (busy) return;
    this.#down.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.#down.size > 1 || this.#pinching) {
      if (!this.#pinching) {
        this.#forget();
        this.fingers.drop();
      }
      this.#pinching = true;
      return;
    }
    this.#waiting = { event, timer: setTimeout(() => this.#count(), WAIT_MS) };
  }

  /** True when the move was a pinch's, or nothing is to be done yet. */
  move(event: PointerEvent): boolean {
    const before = this.#down.get(event.pointerId);
    if (!before) return true;
    if (this.#waiting) {
      const { clientX, clientY } = this.#waiting.event;
      if (Math.hypot(event.clientX - clientX, event.clientY - clientY) < DRAG_PX) return true;
      this.#count();
    }
    if (!this.#pinching) return false;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...this.#down].find(([id]) => id !== event.pointerId)?.[1];
    this.#down.set(event.pointerId, now);
    if (other) {
      const was = Math.hypot(before.x - other.x, before.y - other.y),
        is = Math.hypot(now.x - other.x, now.y - other.y);
      this.fingers.pinch(
        is / Math.max(was, 1),
        (now.x + other.x) / 2,
        (now.y + other.y) / 2,
        (now.x - before.x) / 2,
        (now.y - before.y) / 2,
      );
    }
    return true;
  }

  /** True when no stroke ends with it. */
  up(event: PointerEvent): boolean {
    if (!this.#down.delete(event.pointerId)) return true;
    if (this.#pinching) {
      if (this.#down.size === 0) this.#pinching = false;
      return true;
    }
    if (this.#waiting && event.type === "pointercancel") {
      this.#forget();
      return true;
    }
    this.#count();
    return false;
  }

  #count(): void {
    const waiting = this.#waiting;
    this.#forget();
    if (waiting) this.fingers.begin(waiting.event);
  }

  #forget(): void {
    clearTimeout(this.#waiting?.timer);
    this.#waiting = null;
  }
}
