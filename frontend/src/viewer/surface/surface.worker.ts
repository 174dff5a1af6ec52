/** Builds and draws the 3D pane, off the main thread. */

import type { CoarseField } from "../../editor/types";
import { SurfaceModel, type Grid } from "./model";
import { Canvas3D, screenPointOf, pointAt, type Pose } from "./raster";
import { type Vector } from "../geometry/oblique";

export interface Scene3D {
  readonly width: number;
  readonly height: number;
  readonly pose: Pose;
  /** Colour by segment; those that are hidden are left out. */
  readonly colours: readonly (readonly [number, readonly [number, number, number]])[];
  /** Corners of the axial slice that is looked at, mm round the middle (L, P, S). */
  readonly slice: readonly (readonly [number, number, number])[];
}

export type SurfaceRequest =
  | { readonly kind: "start"; readonly canvas: OffscreenCanvas; readonly mask: Grid; readonly lungs: Grid }
  | {
      readonly kind: "put";
      readonly what: "mask" | "lungs";
      readonly from: number;
      readonly to: number;
      readonly fields: readonly CoarseField[];
    }
  | { readonly kind: "draw"; readonly scene: Scene3D }
  | { readonly kind: "pick"; readonly id: number; readonly x: number; readonly y: number };

export type SurfaceReply =
  | { readonly kind: "drawn"; readonly triangles: number; readonly milliseconds: number }
  | { readonly kind: "picked"; readonly id: number; readonly point: Vector | null };

declare const self: DedicatedWorkerGlobalScope;

let canvas: OffscreenCanvas, mask: SurfaceModel, lungs: SurfaceModel;
/** Asked for once: where it is asked for at every picture, Firefox goes on showing the first one. */
let context: OffscreenCanvasRenderingContext2D | null = null;
let scene: Scene3D | null = null;
let image: ImageData | null = null,
  screen: Canvas3D | null = null;
let due = false;

self.onmessage = ({ data }: MessageEvent<SurfaceRequest>) => {
  if (data.kind === "start") {
    ({ canvas } = data);
    // Its pixels are made on the processor: a canvas on a graphics card would only be one more way to go.
    context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    mask = new SurfaceModel(data.mask);
    lungs = new SurfaceModel(data.lungs);
  } else if (data.kind === "put") (data.what === "mask" ? mask : lungs).put(data.from, data.to, data.fields);
  else if (data.kind === "draw") ({ scene } = data);
  else {
    const depth = scene && screen ? screen.depth[Math.floor(data.y) * scene.width + Math.floor(data.x)]! : -Infinity;
    const point =
      scene && Number.isFinite(depth) ? pointAt(data.x, data.y, depth, scene.pose, scene.width, scene.height) : null;
    self.postMessage({ kind: "picked", id: data.id, point } satisfies SurfaceReply);
    return;
  }
  // All that has come by now is drawn once.
  if (!due) {
    due = true;
    setTimeout(draw, 0);
  }
};

function draw(): void {
  due = false;
  if (!scene?.width || !scene.height || !context) return;
  const started = performance.now();
  const { width, height, pose } = scene;
  if (image?.width !== width || image.height !== height) {
    canvas.width = width;
    canvas.height = height;
    image = new ImageData(width, height);
    screen = new Canvas3D(width, height, image.data.buffer);
  }
  if (!screen) return;
  screen.clear();
  const colours = new Map(scene.colours);
  let triangles = 0;
  for (const [segment, body] of mask.bodies()) {
    const colour = colours.get(segment);
    triangles += body.triangles.length / 3;
    if (colour) screen.solid(body, pose, colour);
  }
  for (const [, body] of lungs.bodies()) screen.shell(body, pose);
  lungs.keepBodiesOnly(); // they come whole, and once
  screen.finish();
  context.putImageData(image, 0, 0);
  drawSlice(context, scene);
  drawLetters(context, scene);
  self.postMessage({ kind: "drawn", triangles, milliseconds: performance.now() - started } satisfies SurfaceReply);
}

function drawSlice(context: OffscreenCanvasRenderingContext2D, { slice, pose, width, height }: Scene3D): void {
  if (!slice.length) return;
  context.strokeStyle = "rgb(255 255 255 / .45)";
  context.lineWidth = 1;
  context.beginPath();
  slice.forEach((corner, n) => {
    const [x, y] = screenPointOf(corner, pose, width, height);
    if (n) context.lineTo(x, y);
    else context.moveTo(x, y);
  });
  context.closePath();
  context.stroke();
}

const AXES = [
  [[1, 0, 0], "L"],
  [[-1, 0, 0], "R"],
  [[0, 1, 0], "P"],
  [[0, -1, 0], "A"],
  [[0, 0, 1], "S"],
  [[0, 0, -1], "I"],
] as const;

/** Below this width, in pixels, the words in the pane's corners reach its middle: letters stand a line further in. */
const NARROW = 280;

/** The sides of the body where they point along the edges of the pane. */
function drawLetters(context: OffscreenCanvasRenderingContext2D, { pose, width, height }: Scene3D): void {
  context.font = "600 11px system-ui, sans-serif";
  context.fillStyle = "#fff";
  context.textAlign = "center";
  context.textBaseline = "middle";
  const edge = width < NARROW ? 32 : 14;
  for (const [axis, letter] of AXES) {
    const [x, y] = screenPointOf(axis, { ...pose, pxPerMm: 1 }, 0, 0);
    if (Math.abs(x) > 0.8) context.fillText(letter, x > 0 ? width - 24 : 12, height / 2);
    else if (Math.abs(y) > 0.8) context.fillText(letter, width / 2, y > 0 ? height - edge : edge);
  }
}
