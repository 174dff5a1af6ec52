/** Words on the image. */

import type { PaneGeometry } from "../geometry/pane";

/** What the reader's size of text is of 16 px; read once, a reading may lay the page out. */
let larger: number | null = null;

/** A line of words on a dark ground, kept inside the pane. */
export function label(
  context: CanvasRenderingContext2D,
  words: string,
  x: number,
  y: number,
  geometry: PaneGeometry,
  colour: string,
): void {
  larger ??= Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  context.font = `600 ${12 * larger}px system-ui, sans-serif`;
  const room = geometry.width - 28;
  const width = Math.min(context.measureText(words).width, room);
  const left = Math.max(4, Math.min(x, geometry.width - width - 24));
  const base = Math.max(17 * larger, Math.min(y, geometry.height - 9));
  context.fillStyle = "rgb(0 0 0 / .6)";
  context.fillRect(left - 4, base - 13 * larger, width + 8, 18 * larger);
  context.fillStyle = colour;
  context.fillText(words, left, base, room); // narrower letters where there is no room for the words
}
