/**
 * Oblique planes. The three planes stay at right angles; turning in one pane swings the two others about its normal,
 * and their lines of intersection are the crosshair. All of them go through `centre`.
 */

import { type ReadonlySignal, signal } from "@preact/signals";
import { type Ijk, type Plane, perAxis } from "../../editor/types";
import { cross as product, dot, turnedFrame, type Frame, type Vector } from "../geometry/oblique";
import { PLANES, type ScanSession } from "../scan/session";
import type { Pane, Panes } from "./pane";
import { middleOf } from "../geometry/grid";

const STRAIGHT = 0.5 * (Math.PI / 180);

/** What the planes need of the stage. */
export interface PlanesHost {
  readonly session: ScanSession;
  readonly panes: Panes;
  touch(pane: Pane): void;
  watch(): void;
}

export class Planes {
  readonly #turned = signal(false);
  /** Any plane is oblique. */
  readonly turned: ReadonlySignal<boolean> = this.#turned;
  readonly #turning = signal(false);
  /** Handles on the crosshair are there; a drag or key may turn the planes. */
  readonly turning: ReadonlySignal<boolean> = this.#turning;
  #frames: Record<Plane, Frame> | null = null;
  #centre: Vector = [0, 0, 0];

  constructor(private readonly host: PlanesHost) {}

  toggleTurning(): void {
    this.#turning.value = !this.#turning.value;
  }

  stopTurning(): void {
    this.#turning.value = false;
  }

  /** The crosshair has moved to this voxel: the planes go through it. */
  follow(cross: Ijk): void {
    if (!this.#frames || this.#centre.every((c, n) => Math.floor(c) === cross[n])) return;
    this.#centre = this.#within(cross);
    this.#apply();
  }

  /**
   * The point in this voxel where the active plane runs through it, so that a press does not shift the plane; else its
   * middle.
   */
  #within(cross: Ijk): Vector {
    const pane = this.host.panes[this.host.session.activePlane.peek()];
    const mm = pane.geometry.mmPerVoxel,
      { normal } = pane.geometry.frame;
    const middle = middleOf(cross);
    const off = dot(
      perAxis((n) => (middle[n] - this.#centre[n]) * mm[n]),
      normal,
    );
    const on = perAxis((n) => middle[n] - (normal[n] * off) / mm[n]);
    return on.every((c, n) => Math.floor(c) === cross[n]) ? on : middle;
  }

  get centre(): Vector {
    return this.#frames ? this.#centre : middleOf(this.host.session.cross.value);
  }

  /** Swing the other two planes about this pane's normal; positive = clockwise on its screen. */
  turn(pane: Pane, radians: number): void {
    const { panes } = this.host;
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
    this.#turned.value = true;
    this.#apply();
  }

  /** Back to the planes of the grid. */
  straighten(): void {
    if (!this.#frames) return;
    this.#frames = null;
    this.#turned.value = false;
    for (const plane of PLANES) {
      const pane = this.host.panes[plane];
      pane.geometry.lean(null, [0, 0, 0]);
      pane.forget();
      void pane.load(true);
      this.host.touch(pane);
    }
    this.host.watch();
  }

  /** Move an oblique pane across by steps of its finest voxel, away from the reader for positive ones. */
  step(pane: Pane, steps: number): void {
    const mm = pane.geometry.mmPerVoxel;
    const finest = Math.min(...mm);
    const { size, frame } = pane.geometry;
    const to = perAxis((n) => this.#centre[n] + (frame.normal[n] * steps * finest) / mm[n]);
    if (perAxis((n) => to[n] < 0 || to[n] >= size[n]).includes(true)) return;
    this.#centre = to;
    this.host.session.goTo(to.map(Math.floor));
    this.#apply();
  }

  #apply(): void {
    const frames = this.#frames;
    if (!frames) return;
    for (const plane of PLANES) {
      const pane = this.host.panes[plane];
      const straight = pane.geometry.straight;
      const isStraight =
        Math.abs(dot(straight.right, frames[plane].right)) > Math.cos(STRAIGHT) &&
        Math.abs(dot(straight.down, frames[plane].down)) > Math.cos(STRAIGHT);
      const was = pane.isOblique;
      pane.geometry.lean(isStraight ? null : frames[plane], this.#centre);
      if (was && isStraight) pane.forget();
      if (!isStraight || was) void pane.load(true);
      this.host.touch(pane);
    }
    this.host.watch();
  }

  /** Directions on this pane's screen of the two planes that cross it. */
  lines(pane: Pane): { readonly plane: Plane; readonly angle: number }[] {
    const { right, down, normal } = pane.geometry.frame;
    return PLANES.filter((plane) => plane !== pane.plane).map((plane) => {
      const along = product(normal, this.host.panes[plane].geometry.frame.normal);
      return { plane, angle: Math.atan2(dot(along, down), dot(along, right)) };
    });
  }
}
