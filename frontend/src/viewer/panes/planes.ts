/**
 * Oblique planes. The three planes stay at right angles; turning in one pane swings the two others about its normal, and
 * their lines of intersection are the crosshair. All of them go through `centre`.
 */

import { signal } from "@preact/signals";
import type { Ijk, Plane } from "../../editor/types";
import { cross as product, dot, turnedFrame, type Frame, type Vector } from "../image/oblique";
import { PLANES } from "../session";
import type { Pane, View } from "./view";

const STRAIGHT = 0.5 * (Math.PI / 180);

export class Planes {
  /** Any plane stands askew. */
  readonly turned = signal(false);
  /** Handles on the crosshair are there; a drag or key may turn the planes. */
  readonly turning = signal(false);
  #frames: Record<Plane, Frame> | null = null;
  #centre: Vector = [0, 0, 0];

  constructor(private readonly view: View) {}

  /** The crosshair has moved to this voxel: the planes go through it. */
  follow(cross: Ijk): void {
    if (!this.#frames || this.#centre.every((c, n) => Math.floor(c) === cross[n])) return;
    this.#centre = this.#within(cross);
    this.#apply();
  }

  /** The place in this voxel where the active plane runs through it, so that a press does not shift the plane; else its middle. */
  #within(cross: Ijk): Vector {
    const pane = this.view.panes[this.view.session.activePlane.peek()];
    const mm = pane.geometry.mmPerVoxel,
      { normal } = pane.geometry.frame;
    const middle = cross.map((c) => c + 0.5) as unknown as Vector;
    const off = dot(middle.map((c, n) => (c - this.#centre[n]) * mm[n]) as unknown as Vector, normal);
    const on = middle.map((c, n) => c - (normal[n] * off) / mm[n]) as unknown as Vector;
    return on.every((c, n) => Math.floor(c) === cross[n]) ? on : middle;
  }

  get centre(): Vector {
    return this.#frames ? this.#centre : (this.view.session.cross.value.map((c) => c + 0.5) as unknown as Vector);
  }

  /** Swing the other two planes about this pane's normal; positive = clockwise on its screen. */
  turn(pane: Pane, radians: number): void {
    const { panes } = this.view;
    if (!this.#frames) {
      this.#centre = this.centre;
      this.#frames = {
        axial: panes.axial.geometry.straight,
        coronal: panes.coronal.geometry.straight,
        sagittal: panes.sagittal.geometry.straight,
      };
    }
    // Right × down is the axis about which right turns towards down.
    const axis = product(pane.geometry.frame.right, pane.geometry.frame.down);
    for (const plane of PLANES)
      if (plane !== pane.plane) this.#frames[plane] = turnedFrame(this.#frames[plane], axis, radians);
    this.turned.value = true;
    this.#apply();
  }

  /** Back to the planes of the grid. */
  straighten(): void {
    if (!this.#frames) return;
    this.#frames = null;
    this.turned.value = false;
    for (const plane of PLANES) {
      const pane = this.view.panes[plane];
      pane.geometry.lean(null, [0, 0, 0]);
      pane.index = -1;
      void pane.load(true);
      this.view.touch(pane);
    }
    this.view.watch();
  }

  /** Move an oblique pane across by steps of its finest voxel, away from the reader for positive ones. */
  step(pane: Pane, steps: number): void {
    const mm = pane.geometry.mmPerVoxel;
    const finest = Math.min(...mm);
    const shape = [...this.view.session.geometry.shapeZyx].reverse();
    const to = this.#centre.map((c, n) => c + (pane.geometry.frame.normal[n] * steps * finest) / mm[n]);
    if (to.some((c, n) => c < 0 || c >= shape[n])) return;
    this.#centre = to as unknown as Vector;
    this.view.session.goTo(to.map(Math.floor));
    this.#apply();
  }

  #apply(): void {
    const frames = this.#frames;
    if (!frames) return;
    for (const plane of PLANES) {
      const pane = this.view.panes[plane];
      const straight = pane.geometry.straight;
      const isStraight =
        Math.abs(dot(straight.right, frames[plane].right)) > Math.cos(STRAIGHT) &&
        Math.abs(dot(straight.down, frames[plane].down)) > Math.cos(STRAIGHT);
      const was = pane.askew;
      pane.geometry.lean(isStraight ? null : frames[plane], this.#centre);
      if (was && isStraight) pane.index = -1;
      if (!isStraight || was) void pane.load(true);
      this.view.touch(pane);
    }
    this.view.watch();
  }

  /** Directions on this pane's screen of the two planes that cross it. */
  lines(pane: Pane): { readonly plane: Plane; readonly angle: number }[] {
    const { right, down, normal } = pane.geometry.frame;
    return PLANES.filter((plane) => plane !== pane.plane).map((plane) => {
      const along = product(normal, this.view.panes[plane].geometry.frame.normal);
      return { plane, angle: Math.atan2(dot(along, down), dot(along, right)) };
    });
  }
}
