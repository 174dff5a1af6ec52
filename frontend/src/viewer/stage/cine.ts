/** Running through the slices of the active pane by itself, round and round. */

import { type ReadonlySignal, signal } from "@preact/signals";
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
  #last = 0;
  #due = 0;

  constructor(private readonly host: CineHost) {}

  toggle(): void {
    if (this.playing.value) this.stop();
    else this.#start();
  }

  #start(): void {
    this.#playing.value = true;
    this.#last = performance.now();
    this.#due = 0;
    this.#frame = requestAnimationFrame(this.#step);
  }

  readonly #step = (now: number): void => {
    this.#frame = requestAnimationFrame(this.#step);
    this.#due += ((now - this.#last) / 1000) * settings.value.cineFps;
    this.#last = now;
    // A slow machine drops slices rather than falling behind.
    const slices = Math.floor(this.#due);
    if (!slices) return;
    this.#due -= slices;
    const { session, panes } = this.host;
    const pane = panes[session.activePlane.value];
    const count = pane.geometry.slices;
    if (pane.isOblique) {
      this.host.scroll(pane, slices);
      return;
    }
    const { across } = pane.geometry.layout;
    session.goTo(session.cross.value.map((v, axis) => (axis === across ? (v + slices) % count : v)));
  };

  stop(): void {
    cancelAnimationFrame(this.#frame);
    this.#playing.value = false;
  }
}
