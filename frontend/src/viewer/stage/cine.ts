/**
 * Running through the slices of the active pane by itself, round and round, until somebody draws or goes elsewhere: a
 * stroke would be smeared over the slices, and what was jumped to would run away.
 */

import { type ReadonlySignal, signal } from "@preact/signals";
import type { Ijk } from "../../editor/types";
import { settings } from "../../ground/settings";
import type { ScanSession } from "../scan/session";
import type { Pane, Panes } from "./pane";

/** What it needs of the stage. */
export interface CineHost {
  readonly session: ScanSession;
  readonly panes: Panes;
  scroll(pane: Pane, slices: number): void;
}

export class Cine {
  readonly #playing = signal(false);
  readonly playing: ReadonlySignal<boolean> = this.#playing;
  #frame = 0;
  /** Where it went last. */
  #cross: Ijk | null = null;
  #last = 0;
  #due = 0;

  constructor(private readonly host: CineHost) {}

  toggle(): void {
    if (this.playing.value) this.stop();
    else this.#start();
  }

  #start(): void {
    this.#playing.value = true;
    this.#cross = this.host.session.cross.value;
    this.#last = performance.now();
    this.#due = 0;
    this.#frame = requestAnimationFrame(this.#step);
  }

  readonly #step = (now: number): void => {
    const { session, panes } = this.host;
    if (session.cross.value !== this.#cross) {
      this.stop();
      return;
    }
    this.#frame = requestAnimationFrame(this.#step);
    this.#due += ((now - this.#last) / 1000) * settings.value.cineFps;
    this.#last = now;
    // A slow machine drops slices rather than falling behind.
    const slices = Math.floor(this.#due);
    if (!slices) return;
    this.#due -= slices;
    const pane = panes[session.activePlane.value];
    const count = pane.geometry.slices;
    const { across } = pane.geometry.layout;
    if (pane.isOblique) this.host.scroll(pane, slices);
    else session.goTo(session.cross.value.map((v, axis) => (axis === across ? (v + slices) % count : v)));
    this.#cross = session.cross.value;
  };

  stop(): void {
    cancelAnimationFrame(this.#frame);
    this.#playing.value = false;
  }
}
