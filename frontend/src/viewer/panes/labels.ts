/** Words on the image. */

import type { PaneGeometry } from "../geometry/pane";

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
  const room = geometry.width - 28;
  const width = Math.min(context.measureText(words).width, room);
  const left = Math.max(4, Math.min(x, geometry.width - width - 24));
  const base = Math.max(17, Math.min(y, geometry.height - 9));
  context.fillStyle = "rgb(0 0 0 / .6)";
  context.fillRect(left - 4, base - 13, width + 8, 18);
  context.fillStyle = colour;
  context.fillText(words, left, base, room); // narrower letters where there is no room for the words
}
