/** What the editor stands on; the tests hand in their own. */

import { type Platform, browserPlatform } from "./ownership";
import type { Fetch } from "./server";
import type { EditorEvents } from "./types";

export type Emit = <K extends keyof EditorEvents>(event: K, detail: EditorEvents[K]) => void;

export interface Surroundings {
  readonly emit: Emit;
  readonly fetch: Fetch;
  readonly platform: Platform;
  readonly journalName: string;
  /** First pause before another try of a save, in ms. */
  readonly retryMs: number;
}

export const browserSurroundings = (emit: Emit): Surroundings => ({
  emit,
  fetch: (url, init) => fetch(url, init),
  platform: browserPlatform(),
  journalName: "voxloop-editor",
  retryMs: 1000,
});
