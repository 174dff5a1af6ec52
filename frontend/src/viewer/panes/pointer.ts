/** Mouse, pen and wheel over a pane, handed to the selected tool. The first press on any pane already works. */

import type { Ijk } from "../../editor/types";
import { PAINTING, stepRadius, stepTolerance } from "../brushes";
import type { Strokes } from "./stroke";
import type { Pane, View } from "./view";

type Gesture = "paint" | "cross" | "window" | "pan" | "zoom" | "measure";

/** Wheel travel of one notch, in CSS pixels; trackpads send many small parts of it. */
const NOTCH = 50;

export class PanePointer {
  #gesture: Gesture | null = null;
  #x = 0;
  #y = 0;
  #wheel = 0;

  constructor(
    private readonly view: View, private readonly pane: Pane, private readonly strokes: Strokes,
    private readonly comment: (ijk: Ijk) => void, private readonly spaceHeld: () => boolean,
  ) {}

  attach(element: HTMLElement): () => void {
    const listeners: [string, (event: never) => void][] = [
      ["pointerdown", (e: PointerEvent) => this.#down(e, element)], ["pointermove", (e: PointerEvent) => this.#move(e)],
      ["pointerup", (e: PointerEvent) => this.#up(e)], ["pointercancel", (e: PointerEvent) => this.#up(e)],
      ["pointerleave", () => this.#leave()], ["contextmenu", (e: Event) => e.preventDefault()],
      ["wheel", (e: WheelEvent) => this.#scroll(e)],
    ];
    for (const [name, listener] of listeners) element.addEventListener(name, listener as EventListener, { passive: false });
    return () => { for (const [name, listener] of listeners) element.removeEventListener(name, listener as EventListener); };
  }

  /** Place in the pane. The overlay canvas covers the pane, so offsets of the event are those of the pane. */
  #place(event: MouseEvent): [number, number] {
    const box = this.pane.marks?.getBoundingClientRect();
    return box ? [event.clientX - box.left, event.clientY - box.top] : [0, 0];
  }

  #voxel(x: number, y: number): Ijk | null { return this.pane.geometry.voxelAt(x, y, this.pane.wanted); }

  #down(event: PointerEvent, element: HTMLElement): void {
    if (this.#gesture) return;
    const [x, y] = this.#place(event);
    const { session } = this.view;
    session.activePlane.value = this.pane.plane;
    element.focus({ preventScroll: true });
    const tool = session.tool.value;
    const voxel = this.#voxel(x, y);
    [this.#x, this.#y] = [x, y];
    if (event.button === 1 || (event.button === 0 && this.spaceHeld())) this.#gesture = "pan";
    else if (event.button === 2) this.#gesture = event.ctrlKey ? "zoom" : "window";
    else if (event.button !== 0) return;
    else if (PAINTING.has(tool)) {
      if (!voxel || !this.strokes.begin(this.pane.plane, voxel)) return;
      this.#gesture = "paint";
      session.goTo(voxel);
    } else if (tool === "comment") { if (voxel) { session.goTo(voxel); this.comment(voxel); } return; }
    else if (tool === "measure") {
      const at = this.pane.geometry.toGrid(x, y, this.pane.wanted);
      this.view.measurements.value = [...this.view.measurements.value, { plane: this.pane.plane, index: this.pane.wanted, from: at, to: at }];
      this.#gesture = "measure";
    } else if (tool === "window") this.#gesture = "window";
    else if (tool === "pan") this.#gesture = event.ctrlKey ? "zoom" : "pan";
    else {
      this.#gesture = "cross";
      if (voxel) session.goTo(voxel);
    }
    event.preventDefault();
    try { element.setPointerCapture(event.pointerId); } catch { /* the pointer is gone already */ }
  }

  #move(event: PointerEvent): void {
    const [x, y] = this.#place(event);
    const { view, pane } = this;
    const [dx, dy] = [x - this.#x, y - this.#y];
    const voxel = this.#voxel(x, y);
    view.cursor.value = { plane: pane.plane, x, y, ijk: voxel };
    switch (this.#gesture) {
      case null: this.strokes.hover(pane.plane, voxel); return;
      case "paint": if (voxel) this.strokes.move(voxel); return;
      case "cross": if (voxel) view.session.goTo(voxel); return;
      case "measure": {
        const all = view.measurements.value;
        const last = all[all.length - 1];
        view.measurements.value = [...all.slice(0, -1), { ...last, to: pane.geometry.toGrid(x, y, last.index) }];
        return;
      }
      case "window": {
        const { level, width } = view.session.window.value;
        const step = Math.max(1, width / 400);
        view.session.window.value = { level: Math.round(level + dy * step), width: Math.max(10, Math.round(width + dx * step)) };
        break;
      }
      case "pan": pane.geometry.panBy(dx, dy); view.touch(pane); break;
      case "zoom": pane.geometry.zoomAt(Math.exp(-dy / 150), this.#x, this.#y); view.touch(pane); break;
    }
    [this.#x, this.#y] = [x, y];
  }

  #up(event: PointerEvent): void {
    const gesture = this.#gesture;
    this.#gesture = null;
    if (gesture === "paint") void (event.type === "pointercancel" ? this.strokes.cancel() : this.strokes.end());
    if (gesture === "measure") {
      const all = this.view.measurements.value;
      const { from, to } = all[all.length - 1];
      const tiny = Math.hypot(...this.pane.geometry.toScreen(from).map((v, n) => v - this.pane.geometry.toScreen(to)[n])) < 3;
      if (tiny) this.view.measurements.value = all.slice(0, -1);
    }
  }

  #leave(): void {
    if (this.#gesture) return;
    this.view.cursor.value = null;
    this.strokes.hover(this.pane.plane, null);
  }

  #scroll(event: WheelEvent): void {
    event.preventDefault();
    const travel = (event.deltaY || event.deltaX) * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : event.deltaMode === WheelEvent.DOM_DELTA_PAGE ? 100 : 1);
    if (Math.sign(travel) !== Math.sign(this.#wheel)) this.#wheel = 0;
    this.#wheel += travel;
    const notches = Math.trunc(this.#wheel / NOTCH);
    const { session } = this.view;
    session.activePlane.value = this.pane.plane;
    if (event.ctrlKey || session.tool.value === "pan") {
      const [x, y] = this.#place(event);
      this.#wheel = 0;
      this.pane.geometry.zoomAt(Math.exp(-travel / 300), x, y);
      this.view.touch(this.pane);
      return;
    }
    if (!notches) return;
    this.#wheel -= notches * NOTCH;
    if (event.shiftKey && PAINTING.has(session.tool.value)) stepRadius(session.tool.value, -notches);
    else if (event.altKey && session.tool.value === "grow") stepTolerance(-notches);
    else scrollBy(this.view, this.pane, notches > 0 ? Math.ceil(notches / 2) : Math.floor(notches / 2));
    const [x, y] = this.#place(event);
    const voxel = this.#voxel(x, y);
    this.view.cursor.value = { plane: this.pane.plane, x, y, ijk: voxel };
    if (!this.#gesture) this.strokes.hover(this.pane.plane, voxel);
  }
}

/** Go through the slices of a pane; down (towards the feet, the back, the left) is positive. */
export function scrollBy(view: View, pane: Pane, slices: number): void {
  const { across } = pane.geometry.layout;
  const to = [...view.session.cross.value];
  to[across] += slices * scrollSign(view, pane);
  view.session.goTo(to);
}

/** Scrolling down an axial stack goes towards the feet, as on a film; elsewhere with the index. */
function scrollSign(view: View, pane: Pane): number {
  if (pane.geometry.layout.name !== "Axial") return 1;
  return view.session.geometry.lpsFromIjk[2][pane.geometry.layout.across] > 0 ? -1 : 1;
}
