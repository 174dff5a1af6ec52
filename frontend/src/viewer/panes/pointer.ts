/** Mouse, pen and wheel over a pane, handed to the chosen tool. The first press on any pane already works. */

import type { Desk } from "../desk";
import { toolOf } from "../tools";
import type { Gesture, Place } from "../tools/tool";
import { panning, turning, windowing, zooming } from "./gestures";
import { handleReach } from "./marks";
import { whyNotHere } from "./planebound";
import type { Pane, View } from "./view";

/** Wheel travel of one notch, in CSS pixels; trackpads send many small parts of it. */
const NOTCH = 50;

export class PanePointer {
  #gesture: Gesture | null = null;
  #wheel = 0;

  constructor(private readonly desk: Desk, private readonly view: View, private readonly pane: Pane) {}

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
  #place(event: MouseEvent): Place {
    const { pane } = this;
    const box = pane.marks?.getBoundingClientRect();
    const [x, y] = box ? [event.clientX - box.left, event.clientY - box.top] : [0, 0];
    return { pane, x, y, grid: pane.geometry.toGrid(x, y, pane.wanted), voxel: pane.geometry.voxelAt(x, y, pane.wanted), inverse: event.altKey || event.ctrlKey || event.metaKey, reach: 1 };
  }

  #down(event: PointerEvent, element: HTMLElement): void {
    if (this.#gesture) return;
    const { view, desk } = this;
    const at = this.#place(event);
    view.session.activePlane.value = this.pane.plane;
    element.focus({ preventScroll: true });
    if (event.button === 1 || (event.button === 0 && desk.spaceHeld.value)) this.#gesture = panning(view, at);
    else if (event.button === 2) this.#gesture = (event.ctrlKey ? zooming : windowing)(view, at);
    else if (event.button === 0 && this.#onHandle(at)) this.#gesture = turning(view, at);
    else if (event.button === 0 && whyNotHere(view, toolOf(view.session), this.pane)) this.#refuse(at);
    else if (event.button === 0) this.#gesture = toolOf(view.session).press?.(desk, at) ?? null;
    if (!this.#gesture) return;
    event.preventDefault();
    try { element.setPointerCapture(event.pointerId); } catch { /* the pointer is gone already */ }
  }

  /** On a handle of the crosshair, which turns the other planes. */
  #onHandle({ x, y }: Place): boolean {
    const { view, pane } = this;
    if (!view.planes.turning.value) return false;
    const [cx, cy] = pane.geometry.toScreen(view.planes.centre);
    const reach = handleReach(pane);
    return view.planes.lines(pane).some(({ angle }) => [-1, 1].some((side) => Math.hypot(cx + Math.cos(angle) * reach * side - x, cy + Math.sin(angle) * reach * side - y) < 14));
  }

  #refuse({ x, y, voxel }: Place): void {
    const { view, pane } = this;
    view.cursor.value = { plane: pane.plane, x, y, ijk: voxel };
    view.hud.value = { title: whyNotHere(view, toolOf(view.session), pane) ?? "", detail: "", tone: "warn" };
  }

  #move(event: PointerEvent): void {
    const at = this.#place(event);
    this.view.cursor.value = { plane: this.pane.plane, x: at.x, y: at.y, ijk: at.voxel };
    if (this.#gesture) this.#gesture.move?.(at);
    else toolOf(this.view.session).hover?.(this.desk, this.pane.plane, at.voxel);
  }

  #up(event: PointerEvent): void {
    const gesture = this.#gesture;
    this.#gesture = null;
    if (event.type === "pointercancel") gesture?.cancel?.();
    else gesture?.end?.(this.#place(event));
  }

  #leave(): void {
    if (this.#gesture) return;
    this.view.cursor.value = null;
    toolOf(this.view.session).hover?.(this.desk, this.pane.plane, null);
  }

  #scroll(event: WheelEvent): void {
    event.preventDefault();
    const { view, pane } = this;
    const { session } = view;
    const tool = toolOf(session);
    const travel = (event.deltaY || event.deltaX) * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : event.deltaMode === WheelEvent.DOM_DELTA_PAGE ? 100 : 1);
    if (Math.sign(travel) !== Math.sign(this.#wheel)) this.#wheel = 0;
    this.#wheel += travel;
    const notches = Math.trunc(this.#wheel / NOTCH);
    session.activePlane.value = pane.plane;
    if (event.ctrlKey || tool.wheel === "zoom") {
      const { x, y } = this.#place(event);
      this.#wheel = 0;
      pane.geometry.zoomAt(Math.exp(-travel / 300), x, y);
      view.touch(pane);
      return;
    }
    if (!notches) return;
    this.#wheel -= notches * NOTCH;
    if (!tool.wheel?.(this.desk, event, -notches)) view.scroll(pane, notches > 0 ? Math.ceil(notches / 2) : Math.floor(notches / 2));
    const at = this.#place(event);
    view.cursor.value = { plane: pane.plane, x: at.x, y: at.y, ijk: at.voxel };
    if (!this.#gesture) tool.hover?.(this.desk, pane.plane, at.voxel);
  }
}
