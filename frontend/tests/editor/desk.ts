/** One tab with an editor, over a server and a browser's storage that outlive it. */

import { vi } from "vitest";
import type { Platform } from "../../src/editor/ownership";
import { EditorSession } from "../../src/editor/session";
import type { EditorEvents, Ijk, SaveState, Tool, Zyx, Matrix } from "../../src/editor/types";
import type { Server } from "./server";

export const SPACING: Zyx = [2, 1, 1];
export const LPS: Matrix = [
  [1, 0, 0, -20],
  [0, 1, 0, 30],
  [0, 0, 2, 100],
  [0, 0, 0, 1],
];

/** Web Locks of one browser; as many as there are, they are one lock. */
export class Locks {
  #holder: { drop: (why: Error) => void } | null = null;
  readonly #waiting: (() => void)[] = [];

  /** How many wait for it. */
  get waiting(): number {
    return this.#waiting.length;
  }

  readonly request = ((
    _name: string,
    options: LockOptions,
    callback: (lock: Lock | null) => unknown,
  ): Promise<unknown> => {
    if (this.#holder && options.ifAvailable) return Promise.resolve(callback(null));
    if (this.#holder && !options.steal)
      return new Promise((resolve, reject) => {
        options.signal?.addEventListener("abort", () => reject(options.signal?.reason as Error));
        this.#waiting.push(() => {
          if (!options.signal?.aborted) resolve(this.request(_name, {}, callback));
        });
      });
    this.#holder?.drop(new DOMException("stolen", "AbortError"));
    return new Promise((resolve, reject) => {
      const holder = { drop: reject };
      this.#holder = holder;
      void Promise.resolve(callback({} as Lock)).then((value) => {
        if (this.#holder === holder) this.#holder = null;
        resolve(value);
        this.#waiting.shift()?.();
      });
    });
  }) as LockManager["request"];
}

let browsers = 0;
export class Browser {
  readonly name = `browser-${++browsers}`;
  readonly locks = new Locks();
  constructor(readonly hasLocks = true) {}
  get platform(): Platform {
    return {
      locks: this.hasLocks ? this.locks : null,
      channel: (name) => new BroadcastChannel(`${this.name}/${name}`),
    };
  }
}

export class Desk {
  readonly session: EditorSession;
  readonly states: SaveState[] = [];
  readonly events: { [K in keyof EditorEvents]?: EditorEvents[K][] } = {};

  constructor(
    readonly server: Server,
    readonly browser: Browser,
    readonly autosaveMs = 5,
    editable = true,
    user = "reader",
  ) {
    this.session = new EditorSession({
      emit: (event, detail) => {
        ((this.events[event] ??= []) as unknown[]).push(detail);
        if (event === "save-state") this.states.push(detail as SaveState);
      },
      fetch: server.fetch,
      platform: browser.platform,
      journalName: browser.name,
      retryMs: 1,
    });
    this.session.create({
      volume: { shapeZyx: server.shape, spacingMmZyx: SPACING, backgroundHu: -860 },
      user,
      scan: "VX-1",
      lpsFromIjk: LPS,
      assignment: "a1",
      layer: "findings",
      maskUrl: "/mask",
      headers: {},
      editable,
      autosaveMs,
    });
  }

  get labels(): Uint8Array {
    const [nz, ny, nx] = this.server.shape;
    const out = new Uint8Array(nz * ny * nx);
    for (let z = 0; z < nz; z++) out.set(this.session.sliceLabels("axial", z).data, z * ny * nx);
    return out;
  }

  async stroke(tool: Tool, ...at: Ijk[]): Promise<void> {
    this.session.beginStroke(tool);
    for (const ijk of at) this.session.dab(ijk);
    await this.session.endStroke();
  }

  sphere(segment: number, radiusMm: number, ...at: Ijk[]): Promise<void> {
    return this.stroke({ tool: "sphere", segment, radiusMm, overwrite: true, locked: [] }, ...at);
  }

  until(kind: SaveState["kind"]): Promise<void> {
    return vi.waitFor(
      () => {
        if (this.session.saveState().kind !== kind) throw new Error(`still ${this.session.saveState().kind}`);
      },
      { timeout: 30_000, interval: 2 },
    );
  }

  /** The tab dies: nothing more is sent or written, the locks fall. */
  async crash(): Promise<void> {
    this.server.weather = () => "lost";
    await this.session.close();
    this.server.weather = () => "fine";
  }
}

export const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
