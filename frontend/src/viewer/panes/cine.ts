/** Running through the slices of the active pane by itself, round and round. */

import { signal } from "@preact/signals";
import { settings } from "../settings";
import type { View } from "./view";

export class Cine {
  readonly playing = signal(false);
  #frame = 0;
  #last = 0;
  #due = 0;

  constructor(private readonly view: View) {}

  toggle(): void {
    if (this.playing.value) this.stop();
    else this.#start();
  }

  #start(): void {
    this.playing.value = true;
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
    const { session, panes } = this.view;
    const pane = panes[session.activePlane.value];
    const count = pane.geometry.slices;
    if (pane.askew) {
      this.view.scroll(pane, slices);
      return;
    }
    const { across } = pane.geometry.layout;
    const to = [...session.cross.value];
    to[across] = (to[across] + slices) % count;
    session.goTo(to);
  };

  stop(): void {
    cancelAnimationFrame(this.#frame);
    this.playing.value = false;
  }
}
