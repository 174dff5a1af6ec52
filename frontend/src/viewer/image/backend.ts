/**
 * Who draws the images: our own 2D canvas, or Cornerstone on the graphics card.
 *
 * The canvas is up first on every machine (it needs no further script, so that the planes are usable before Cornerstone
 * has come over a thin line) and stays where there is no hardware WebGL: it is the faster one there. With a graphics
 * card Cornerstone takes over once loaded. Measured on SwiftShader, 2 shared cores, 512×512×133, wheel over the axial
 * pane: canvas 69 ms a frame, Cornerstone on WebGL 92-109 ms, Cornerstone's own processor path 80-104 ms (which needs
 * WebGL to start at all). `?rendering=cpu|gpu|cornerstone-cpu` in the address chooses for a measurement.
 */

import type { ScanSession } from "../scan/session";
import { CanvasImage } from "./canvas";
import type { Hosts, Target } from "./target";
import type { Window } from "../geometry/window";

export interface ImageBackend {
  readonly name: string;
  /**
   * Put the image of the target's slice on screen. Answers whether it is whole; where it is not, the next frame goes on
   * with it.
   */
  draw(target: Target, window: Window, smooth: boolean): boolean;
  /** The target's element has this size in CSS pixels now. */
  resize(target: Target): void;
  close(): void;
}

export class CanvasBackend implements ImageBackend {
  readonly name = "canvas";
  readonly #images = new Map<string, CanvasImage>();

  constructor(
    private readonly session: ScanSession,
    private readonly hosts: Hosts,
    private readonly onProcessor: boolean,
  ) {}

  draw(target: Target, window: Window, smooth: boolean): boolean {
    const volume = this.session.volume.value;
    const host = this.hosts.get(target.plane);
    if (!volume || !host) return true;
    let image = this.#images.get(target.plane);
    if (image?.canvas !== host.canvas)
      this.#images.set(target.plane, (image = new CanvasImage(host.canvas, volume, this.onProcessor)));
    return image.draw(target, window, smooth);
  }

  resize(): void {}

  close(): void {
    this.#images.clear();
  }
}

const KNOWN = "voxloop.graphics";

export type Graphics = "hardware" | "software" | "none";

/** What WebGL there is. A software rasteriser (SwiftShader, llvmpipe) counts as `software`. */
export function detectGraphics(): Graphics {
  // Asking a software renderer takes a fifth of a second of the main thread; the answer holds as long as the tab.
  const known = sessionStorage.getItem(KNOWN);
  if (known === "hardware" || known === "software" || known === "none") return known;
  const found = ask();
  sessionStorage.setItem(KNOWN, found);
  return found;
}

function ask(): Graphics {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return "none";
  const details = gl.getExtension("WEBGL_debug_renderer_info");
  const renderer = String(gl.getParameter(details ? details.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|software|basic render/i.test(renderer) ? "software" : "hardware";
}
