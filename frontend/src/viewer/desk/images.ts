/** Which backend draws the images, and when another takes over. */

import { type ReadonlySignal, signal } from "@preact/signals";
import { settings } from "../../ground/settings";
import { CanvasBackend, detectGraphics, type Graphics } from "../image/backend";
import type { Hosts } from "../image/target";
import { Painter } from "../panes/painter";
import type { ScanSession } from "../scan/session";
import type { Stage } from "../stage/stage";

export class Images {
  readonly graphics: Graphics = detectGraphics();
  /** No graphics card: canvases stay in main memory. */
  readonly onProcessor = this.graphics !== "hardware";
  /** The elements of the panes' images. */
  readonly hosts: Hosts = new Map();
  readonly #name = signal("canvas");
  /** Of the backend. */
  readonly name: ReadonlySignal<string> = this.#name;
  #painter: Painter | null = null;

  constructor(private readonly session: ScanSession) {}

  /** null until there is something to draw. */
  get painter(): Painter | null {
    return this.#painter;
  }

  /** Draw the panes of this stage: by the canvas at once, by Cornerstone when it has come and is wanted. */
  begin(stage: Stage): void {
    const canvas = new CanvasBackend(this.session, this.hosts, this.onProcessor);
    this.#painter = new Painter(stage, canvas, this.onProcessor);
    const kind = this.#wantsCornerstone;
    if (kind) void this.#useCornerstone(stage, this.#painter, kind);
  }

  /** `?rendering=gpu|cpu` in the address (tests, measurements) goes before the setting. */
  get #wantsCornerstone(): "gpu" | "cpu" | null {
    const asked = new URLSearchParams(location.search).get("rendering") ?? settings.value.rendering;
    if (asked === "cornerstone-cpu") return "cpu";
    if (this.graphics === "none" || asked === "cpu") return null;
    return asked === "gpu" || this.graphics === "hardware" ? "gpu" : null;
  }

  /** Take Cornerstone's script and let it draw the images; the canvas stays when it cannot. */
  async #useCornerstone(stage: Stage, painter: Painter, kind: "gpu" | "cpu"): Promise<void> {
    try {
      const [{ CornerstoneBackend }] = await Promise.all([import("../image/cornerstone"), this.session.fill()]);
      const redraw = () => stage.redraw("image");
      const backend = await CornerstoneBackend.create(this.session, stage.panes, this.hosts, redraw, kind);
      painter.use(backend);
      this.#name.value = backend.name;
    } catch (error) {
      console.info("Cornerstone stays off:", error);
    }
  }
}
