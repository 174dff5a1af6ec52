/** Everything over the image: mask, overlays, differences, preview, crosshair, brush, measurements, pins. */

import { distanceMm } from "../geometry/grid";
import type { PaneGeometry } from "../geometry/pane";
import { t } from "../../ground/language";
import { settings } from "../../ground/settings";
import { toolOf } from "../tools";
import type { Brush } from "../tools/tool";
import { fixed, hu } from "../../ground/words";
import { label } from "./labels";
import { whyNotHere } from "../tools/possible";
import { FOREIGN, drawRegions } from "./regions";
import type { Pane } from "../stage/pane";
import type { Stage } from "../stage/stage";
import { type Ijk } from "../../editor/types";

/** CSS pixels of the pane. */
type ScreenPoint = readonly [number, number];

const ADDED = "#09d36c",
  REMOVED = "#ff78da";
const OVERLAY_COLOURS: Readonly<Record<string, string>> = {
  prediction: "#31dffe",
  author: "#ffffff",
  previous: "#f9ef1e",
};
const READER_COLOURS = ["#ff9f6e", "#c9a2ff", "#8be28b", "#ffd1e8"];

export function overlayColour(key: string): string {
  const reader = /^reader-(\d+)$/.exec(key)?.[1];
  return OVERLAY_COLOURS[key] ?? READER_COLOURS[Number(reader) % READER_COLOURS.length] ?? "#31dffe";
}

/** `onProcessor`: the canvas stays in main memory. */
export function drawMarks(stage: Stage, pane: Pane, canvas: HTMLCanvasElement, onProcessor: boolean): void {
  const context = canvas.getContext("2d", { willReadFrequently: onProcessor });
  if (!context) return;
  const { geometry, contents } = pane;
  const ratio = canvas.width / geometry.width;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);

  // Paths are in mm of the slice; the screen has the same scale both ways, so one line width fits all.
  const [a, b, c, d, e, f] = geometry.affine();
  const mm = geometry.pathScale;
  context.setTransform(
    (a / mm.a) * ratio,
    (b / mm.a) * ratio,
    (c / mm.b) * ratio,
    (d / mm.b) * ratio,
    e * ratio,
    f * ratio,
  );
  const px = 1 / geometry.scale;
  context.lineJoin = "round";
  drawMask(stage, pane, context, px);
  if (contents.preview) {
    context.globalAlpha = 0.3;
    context.fillStyle = "#fff";
    context.fill(contents.preview, "evenodd");
    context.globalAlpha = 1;
    context.setLineDash([3 * px, 2 * px]);
    context.lineWidth = 1.25 * px;
    context.strokeStyle = "#fff";
    context.stroke(contents.preview);
    context.setLineDash([]);
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  if (settings.value.crosshair) drawCrosshair(stage, pane, context);
  drawMeasurements(stage, pane, context);
  drawRegions(stage, pane, context);
  const { brush, draw } = toolOf(stage.session);
  draw?.(stage, pane, context);
  if (brush && !whyNotHere(stage, toolOf(stage.session), pane)) drawBrush(stage, pane, context, brush);
}

function drawMask(stage: Stage, pane: Pane, context: CanvasRenderingContext2D, px: number): void {
  const isCompared = stage.session.overlays.difference.value !== null;
  if (stage.session.selection.maskShown.value) drawSegments(stage, pane, context, px, isCompared);
  for (const { path, colour, strength } of pane.contents.heat) {
    context.globalAlpha = 0.25 + 0.4 * strength;
    context.fillStyle = colour;
    context.fill(path, "evenodd");
    context.globalAlpha = 1;
  }
  if (isCompared) drawDifference(pane, context, px);
  drawOverlays(stage, pane, context, px);
}

function drawSegments(
  { session }: Stage,
  pane: Pane,
  context: CanvasRenderingContext2D,
  px: number,
  isCompared: boolean,
): void {
  for (const { segment, path } of pane.contents.outlines) {
    if (session.selection.hidden.value.has(segment)) continue;
    const colour = session.colours.get(segment) ?? "#e8ac00";
    context.fillStyle = context.strokeStyle = colour;
    if (!isCompared) {
      context.globalAlpha = settings.value.opacity / 100;
      context.fill(path, "evenodd");
    }
    context.globalAlpha = 1;
    context.lineWidth = 1.25 * px;
    context.stroke(path);
  }
}

function drawDifference({ contents }: Pane, context: CanvasRenderingContext2D, px: number): void {
  for (const [path, colour] of [
    [contents.added, ADDED],
    [contents.removed, REMOVED],
  ] as const) {
    if (!path) continue;
    context.globalAlpha = 0.45;
    context.fillStyle = context.strokeStyle = colour;
    context.fill(path, "evenodd");
    context.globalAlpha = 1;
    context.lineWidth = px;
    context.stroke(path);
  }
}

function drawOverlays({ session }: Stage, pane: Pane, context: CanvasRenderingContext2D, px: number): void {
  for (const { key, outlines } of pane.contents.overlays) {
    for (const { segment, path } of outlines) {
      const given = session.anatomy.colourOf(key, segment);
      if (given === null) continue;
      context.strokeStyle = given ?? overlayColour(key);
      context.lineWidth = (given ? 1 : 1.5) * px;
      context.setLineDash(given ? [] : [4 * px, 3 * px]);
      context.stroke(path);
    }
    context.setLineDash([]);
  }
}

/** Free of lines round the crosshair, in CSS pixels. */
const GAP = 20;

function drawCrosshair(stage: Stage, pane: Pane, context: CanvasRenderingContext2D): void {
  const at = pane.geometry.toScreen(stage.planes.centre);
  if (stage.planes.turned.value || stage.planes.turning.value) drawTurned(stage, pane, context, at);
  else crossLines(context, pane.geometry, at);
}

/** In the middle of a pixel, where a line of one pixel is not blurred. */
const sharp = ([x, y]: ScreenPoint): ScreenPoint => [Math.round(x) + 0.5, Math.round(y) + 0.5];

/** Lines with a gap in the middle, so that nothing stands on what one looks at. */
export function crossLines(context: CanvasRenderingContext2D, { width, height }: PaneGeometry, at: ScreenPoint): void {
  const [x, y] = sharp(at);
  context.strokeStyle = "rgb(255 255 255 / .42)";
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(x, 0);
  context.lineTo(x, y - GAP);
  context.moveTo(x, y + GAP);
  context.lineTo(x, height);
  context.moveTo(0, y);
  context.lineTo(x - GAP, y);
  context.moveTo(x + GAP, y);
  context.lineTo(width, y);
  context.stroke();
}

/** The lines of the two other planes, with a handle on each end while they can be turned. */
function drawTurned(stage: Stage, pane: Pane, context: CanvasRenderingContext2D, at: ScreenPoint): void {
  const [x, y] = sharp(at);
  const far = pane.geometry.width + pane.geometry.height;
  context.strokeStyle = "rgb(255 255 255 / .5)";
  context.lineWidth = 1;
  for (const { angle } of stage.planes.lines(pane))
    for (const side of [-1, 1]) {
      const [dx, dy] = [Math.cos(angle) * side, Math.sin(angle) * side];
      context.beginPath();
      context.moveTo(x + dx * GAP, y + dy * GAP);
      context.lineTo(x + dx * far, y + dy * far);
      context.stroke();
      if (!stage.planes.turning.value) continue;
      const reach = handleReach(pane);
      context.beginPath();
      context.arc(x + dx * reach, y + dy * reach, 5, 0, 2 * Math.PI);
      context.fillStyle = "#fff";
      context.fill();
    }
}

/** How far from the crosshair the handles stand, in CSS pixels. */
export function handleReach(pane: Pane): number {
  return Math.min(pane.geometry.width, pane.geometry.height) * 0.32;
}

function drawBrush(stage: Stage, pane: Pane, context: CanvasRenderingContext2D, brush: Brush): void {
  const cursor = stage.cursor.value;
  if (cursor?.plane !== pane.plane) return;
  const radius = settings.value[brush.radius] * (cursor.reach ?? 1) * pane.geometry.scale;
  const [x, y] = [cursor.x, cursor.y];
  const trace = () => {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.moveTo(x - 4, y);
    context.lineTo(x + 4, y);
    context.moveTo(x, y - 4);
    context.lineTo(x, y + 4);
  };
  trace();
  context.strokeStyle = "rgb(0 0 0 / .6)";
  context.lineWidth = 3;
  context.stroke();
  context.strokeStyle = "#fff";
  context.lineWidth = 1.25;
  if (brush.erases) context.setLineDash([5, 3]);
  context.stroke();
  context.setLineDash([]);
}

function drawMeasurements(stage: Stage, pane: Pane, context: CanvasRenderingContext2D): void {
  const { geometry } = pane;
  const volume = stage.session.volume.value;
  const huAt = (at: Ijk) => hu(volume?.at(Math.floor(at[0]), Math.floor(at[1]), Math.floor(at[2])) ?? null);
  for (const { from, to, isForeign } of stage.measurements.value) {
    const colour = isForeign ? FOREIGN : "#ffe9a8";
    if (geometry.offPlane(from, pane.index) > 0.5 || geometry.offPlane(to, pane.index) > 0.5) continue;
    const p = geometry.toScreen(from);
    const q = geometry.toScreen(to);
    context.lineWidth = 3;
    context.strokeStyle = "rgb(0 0 0 / .6)";
    line(context, p, q);
    context.lineWidth = 1.5;
    context.strokeStyle = colour;
    line(context, p, q);
    const ends = t("{first} to {last}", { first: huAt(from), last: `${huAt(to)}${stage.session.valueUnit}` });
    const words = `${fixed(distanceMm(stage.session.geometry, from, to), 1)} mm, ${ends}`;
    label(context, words, (p[0] + q[0]) / 2 + 8, (p[1] + q[1]) / 2 - 8, geometry, colour);
  }
}

function line(context: CanvasRenderingContext2D, p: ScreenPoint, q: ScreenPoint): void {
  const length = Math.hypot(q[0] - p[0], q[1] - p[1]) || 1;
  const [nx, ny] = [(-(q[1] - p[1]) / length) * 4, ((q[0] - p[0]) / length) * 4];
  context.beginPath();
  context.moveTo(p[0], p[1]);
  context.lineTo(q[0], q[1]);
  for (const end of [p, q]) {
    context.moveTo(end[0] - nx, end[1] - ny);
    context.lineTo(end[0] + nx, end[1] + ny);
  }
  context.stroke();
}
