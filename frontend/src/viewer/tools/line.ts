/**
 * A closed line under way on a pane: freehand by dragging, point by point by presses, or with the crosshair and Enter.
 */

import type { Plane, Ijk } from "../../editor/types";
import type { PaneGeometry } from "../geometry/pane";
import { t, tn } from "../../ground/language";
import type { Gesture, PanePoint } from "../stage/gesture";
import type { Line } from "../stage/marks";
import type { Pane } from "../stage/pane";
import type { Stage } from "../stage/stage";
import { middleOf } from "../geometry/grid";

/** CSS pixels: a shorter way is a press, not a drag; points of a freehand line lie this far apart; a point is hit. */
const DRAG_PX = 4,
  APART_PX = 2,
  HIT_PX = 8;
export const LEAST_POINTS = 3;

const onSlice = (plane: Plane, [i, j, k]: Ijk): readonly [number, number] =>
  plane === "axial" ? [i, j] : plane === "coronal" ? [i, k] : [j, k];

function onScreen(geometry: PaneGeometry, [a, b]: readonly [number, number]): [number, number] {
  const [xa, ya, xb, yb, x, y] = geometry.affine();
  return [a * xa + b * xb + x, a * ya + b * yb + y];
}

export class LineDrawing {
  constructor(
    private readonly stage: Stage,
    private readonly close: (line: Line) => void,
  ) {}

  get line(): Line | null {
    return this.stage.line.value;
  }

  #put(line: Line | null): void {
    this.stage.trace(line);
    const n = line?.points.length ?? 0;
    const words = n < LEAST_POINTS ? t("Press for the next point, or drag") : t("Enter or a double press closes");
    this.stage.say(line && { title: tn(n, "{n} point", "{n} points"), detail: words, tone: "plain" });
  }

  /** A press: one more point; on the first or the last one it closes the line. A drag goes on from there. */
  press(at: PanePoint): Gesture | null {
    const { pane } = at;
    const before = this.line?.plane === pane.plane ? this.line : null;
    const near = (point: readonly [number, number]): boolean => {
      const [x, y] = onScreen(pane.geometry, point);
      return Math.hypot(x - at.x, y - at.y) <= HIT_PX;
    };
    const ends = before && before.points.length >= LEAST_POINTS ? [before.points[0], before.points.at(-1)] : [];
    if (ends.some((end) => end && near(end))) {
      this.finish();
      return null;
    }
    const start = before ?? { plane: pane.plane, index: pane.wanted, points: [] };
    const points = [...start.points, onSlice(pane.plane, at.grid)];
    let { x, y } = at,
      dragged = false;
    this.#put({ ...start, points });
    return {
      move: (to) => {
        const way = Math.hypot(to.x - x, to.y - y);
        if (way < (dragged ? APART_PX : DRAG_PX)) return;
        dragged = true;
        ({ x, y } = to);
        points.push(onSlice(pane.plane, to.grid));
        this.#put({ ...start, points });
      },
      end: () => {
        if (dragged && !before) this.finish();
      },
      cancel: () => this.#put(before),
    };
  }

  /** The crosshair as a point; once more at the same voxel closes the line. */
  pressAtCrosshair(pane: Pane): void {
    const { stage } = this;
    const point = onSlice(pane.plane, middleOf(stage.session.cross.value));
    const before = this.line?.plane === pane.plane ? this.line : null;
    const same = (other: readonly [number, number] | undefined): boolean =>
      other !== undefined &&
      Math.floor(other[0]) === Math.floor(point[0]) &&
      Math.floor(other[1]) === Math.floor(point[1]);
    if (
      before &&
      (same(before.points[before.points.length - 1]) ||
        (before.points.length >= LEAST_POINTS && same(before.points[0])))
    ) {
      this.finish();
      return;
    }
    const start = before ?? { plane: pane.plane, index: pane.wanted, points: [] };
    this.#put({ ...start, points: [...start.points, point] });
  }

  back(): void {
    const { line } = this;
    if (line) this.#put(line.points.length > 1 ? { ...line, points: line.points.slice(0, -1) } : null);
  }

  drop(): void {
    if (this.line) this.#put(null);
  }

  /** Closes the line where it encloses something. */
  finish(): void {
    const { line } = this;
    if (!line) return;
    if (line.points.length < LEAST_POINTS) {
      this.stage.warn(t("A line needs three points"));
      return;
    }
    this.#put(null);
    this.close(line);
  }
}

/** The line on its plane: whole on the slices it works on, faint on the others. */
export function drawLine(stage: Stage, pane: Pane, context: CanvasRenderingContext2D, half: number): void {
  const line = stage.line.value;
  if (line?.plane !== pane.plane) return;
  const points = line.points.map((point) => onScreen(pane.geometry, point));
  const [first] = points;
  if (!first) return;
  const cursor = stage.cursor.value;
  context.globalAlpha = Math.abs(pane.index - line.index) <= half ? 1 : 0.4;
  context.lineJoin = "round";
  context.beginPath();
  points.forEach(([x, y], n) => {
    if (n) context.lineTo(x, y);
    else context.moveTo(x, y);
  });
  if (cursor?.plane === pane.plane) context.lineTo(cursor.x, cursor.y);
  for (const [width, style] of [
    [3.5, "rgb(0 0 0 / .65)"],
    [1.5, "#fff"],
  ] as const) {
    context.lineWidth = width;
    context.strokeStyle = style;
    context.stroke();
  }
  // The way back to the first point, as it would be closed.
  const end = cursor?.plane === pane.plane ? ([cursor.x, cursor.y] as const) : (points.at(-1) ?? first);
  context.beginPath();
  context.moveTo(...end);
  context.lineTo(...first);
  context.setLineDash([4, 4]);
  context.lineWidth = 1;
  context.stroke();
  context.setLineDash([]);
  context.fillStyle = "#fff";
  context.beginPath();
  context.arc(...first, points.length >= LEAST_POINTS ? 4 : 2.5, 0, 2 * Math.PI);
  context.fill();
  context.globalAlpha = 1;
}
