/** Words on the image. */

import type { PaneGeometry } from "../image/geometry";

/** A line of words on a dark ground, kept inside the pane. */
export function label(
  context: CanvasRenderingContext2D,
  words: string,
  x: number,
  y: number,
  geometry: PaneGeometry,
  colour: string,
): void {
  context.font = "600 12px system-ui, sans-serif";
  const width = context.measureText(words).width;
  const left = Math.max(4, Math.min(x, geometry.width - width - 24));
  context.fillStyle = "rgb(0 0 0 / .6)";
  context.fillRect(left - 4, y - 13, width + 8, 18);
  context.fillStyle = colour;
  context.fillText(words, left, y);
}
