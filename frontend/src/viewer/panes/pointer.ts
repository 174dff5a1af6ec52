/** Mouse, pen, fingers and wheel over a pane, handed to the chosen tool. The first press on any pane already works. */

import type { ReadonlySignal } from "@preact/signals";
import { settings } from "../../ground/settings";
import { brushOf, toolOf } from "../tools";
import type { Gesture, PanePoint } from "../stage/gesture";
import type { ToolHost } from "../tools/tool";
import { panning, turning, windowing, zooming } from "../tools/gestures";
import { handleReach } from "./marks";
import { whyNotHere } from "../tools/possible";
import { Touch } from "./touch";
import { slicesOf, travelOf, Wheel } from "./wheel";
import type { Pane } from "../stage/pane";
import type { Stage } from "../stage/stage";

/** Part of the radius that the lightest touch of a pen draws with. */
const LEAST_REACH = 0.3;

export interface PointerHost extends ToolHost {
  /** A drag moves the image, whatever the tool. */
  readonly spaceHeld: ReadonlySignal<boolean>;
}

export class PanePointer {
  #gesture: Gesture | null = null;
  /** The pointer whose gesture it is. */
  #by = -1;
  readonly #wheel = new Wheel();
  readonly #touch: Touch;

  constructor(
    private readonly host: PointerHost,
    private readonly stage: Stage,
    private readonly pane: Pane,
  ) {
    this.#touch = new Touch({
      begin: (event) => this.#begin(event),
      drop: () => {
        this.#gesture?.cancel?.();
        this.#gesture = null;
      },
      pinch: (factor, x, y, dx, dy) => {
        const box = pane.marks?.getBoundingClientRect();
        pane.geometry.panBy(dx, dy);
        pane.geometry.zoomAt(factor, x - (box?.left ?? 0), y - (box?.top ?? 0));
        stage.touch(pane);
      },
    });
  }

  attach(element: HTMLElement): () => void {
    const listeners: [string, (event: never) => void][] = [
      ["pointerdown", (e: PointerEvent) => this.#down(e, element)],
      ["pointermove", (e: PointerEvent) => this.#move(e)],
      ["pointerup", (e: PointerEvent) => this.#up(e)],
      ["pointercancel", (e: PointerEvent) => this.#up(e)],
      ["pointerleave", () => this.#leave()],
      ["contextmenu", (e: Event) => e.preventDefault()],
      ["wheel", (e: WheelEvent) => this.#scroll(e)],
    ];
    for (const [name, listener] of listeners)
      element.addEventListener(name, listener as EventListener, { passive: false });
    return () => {
      for (const [name, listener] of listeners) element.removeEventListener(name, listener as EventListener);
    };
  }

  /** Where it is in the pane. The overlay canvas covers the pane, so offsets of the event are those of the pane. */
  #pointOf(event: MouseEvent): PanePoint {
    const { pane } = this;
    const box = pane.marks?.getBoundingClientRect();
    const [x, y] = box ? [event.clientX - box.left, event.clientY - box.top] : [0, 0];
    return {
      pane,
      x,
      y,
      grid: pane.geometry.toGrid(x, y, pane.wanted),
      voxel: pane.geometry.voxelAt(x, y, pane.wanted),
      inverse: event.altKey || event.ctrlKey || event.metaKey,
      reach: this.#reach(event),
    };
  }

  /** A pen that is pressed lightly draws with a part of the radius. */
  #reach(event: MouseEvent): number {
    const isPen = "pointerType" in event && event.pointerType === "pen" && (event as PointerEvent).pressure > 0;
    if (!isPen || !settings.value.penPressure || !brushOf(this.stage.session)?.pressure) return 1;
    return LEAST_REACH + (1 - LEAST_REACH) * (event as PointerEvent).pressure;
  }

  #down(event: PointerEvent, element: HTMLElement): void {
    this.stage.session.activate(this.pane.plane);
    element.focus({ preventScroll: true });
    try {
      element.setPointerCapture(event.pointerId);
    } catch {
      /* the pointer is gone already */
    }
    if (event.pointerType === "touch") {
      event.preventDefault();
      this.#touch.down(event, this.#gesture !== null && !this.#touch.isDown);
    } else if (this.#begin(event)) event.preventDefault();
    else element.releasePointerCapture(event.pointerId);
  }

  /** What the press begins; false when nothing follows. */
  #begin(event: PointerEvent): boolean {
    if (this.#gesture) return false;
    const { stage, host } = this;
    const at = this.#pointOf(event);
    if (event.button === 1 || (event.button === 0 && host.spaceHeld.value)) this.#gesture = panning(stage, at);
    else if (event.button === 2) this.#gesture = (event.ctrlKey ? zooming : windowing)(stage, at);
    else if (event.button === 0 && this.#onHandle(at)) this.#gesture = turning(stage, at);
    else if (event.button === 0 && whyNotHere(stage, toolOf(stage.session), this.pane)) this.#refuse(at);
    else if (event.button === 0) {
      stage.cine.stop();
      this.#gesture = toolOf(stage.session).press?.(host, at) ?? null;
    }
    this.#by = event.pointerId;
    return this.#gesture !== null;
  }

  /** On a handle of the crosshair, which turns the other planes. */
  #onHandle({ x, y }: PanePoint): boolean {
    const { stage, pane } = this;
    if (!stage.planes.turning.value) return false;
    const [cx, cy] = pane.geometry.toScreen(stage.planes.centre);
    const reach = handleReach(pane);
    return stage.planes
      .lines(pane)
      .some(({ angle }) =>
        [-1, 1].some(
          (side) => Math.hypot(cx + Math.cos(angle) * reach * side - x, cy + Math.sin(angle) * reach * side - y) < 14,
        ),
      );
  }

  #refuse({ x, y, voxel }: PanePoint): void {
    const { stage, pane } = this;
    stage.point({ plane: pane.plane, x, y, ijk: voxel });
    stage.refuse(whyNotHere(stage, toolOf(stage.session), pane));
  }

  #move(event: PointerEvent): void {
    if (event.pointerType === "touch" && this.#touch.move(event)) return;
    if (this.#gesture && event.pointerId !== this.#by) return;
    const at = this.#pointOf(event);
    this.stage.point({ plane: this.pane.plane, x: at.x, y: at.y, ijk: at.voxel, reach: at.reach });
    if (this.#gesture) this.#gesture.move?.(at);
    else this.#hover(at);
  }

  #up(event: PointerEvent): void {
    if (event.pointerType === "touch" && this.#touch.up(event)) return;
    if (event.pointerId !== this.#by) return;
    const gesture = this.#gesture;
    this.#gesture = null;
    if (event.type === "pointercancel") gesture?.cancel?.();
    else gesture?.end?.(this.#pointOf(event));
  }

  #leave(): void {
    if (this.#gesture) return;
    this.stage.point(null);
    this.stage.refuse(null);
    toolOf(this.stage.session).hover?.(this.host, this.pane.plane, null);
  }

  #scroll(event: WheelEvent): void {
    event.preventDefault();
    const { stage, pane } = this;
    const { session } = stage;
    const tool = toolOf(session);
    const travel = travelOf(event);
    session.activate(pane.plane);
    if (event.ctrlKey || tool.wheel === "zoom") {
      const { x, y } = this.#pointOf(event);
      this.#wheel.forget();
      pane.geometry.zoomAt(Math.exp(-travel / 300), x, y);
      stage.touch(pane);
      return;
    }
    const halves = this.#wheel.turn(travel);
    if (!halves) return;
    if (!tool.wheel?.(this.host, event, -halves)) stage.scroll(pane, slicesOf(halves));
    const at = this.#pointOf(event);
    stage.point({ plane: pane.plane, x: at.x, y: at.y, ijk: at.voxel });
    if (!this.#gesture) this.#hover(at);
  }

  /** A tool that cannot work on this pane as it stands says so before one presses. */
  #hover(at: PanePoint): void {
    const { stage, pane, host } = this;
    const tool = toolOf(stage.session);
    const isRefused = whyNotHere(stage, tool, pane) !== null;
    tool.hover?.(host, pane.plane, isRefused ? null : at.voxel);
    if (isRefused) this.#refuse(at);
    else stage.refuse(null);
  }
}
