/** Ellipses and rectangles on a slice, with their figures. */

import type { Pane } from "../stage/pane";
import { cornersOf, HANDLE_PX, regionWords } from "../stage/regions";
import type { Stage } from "../stage/stage";
import { label } from "./labels";

const COLOUR = "#9be7ff";
/** What somebody else has measured. */
export const FOREIGN = "#ffb38a";

export function drawRegions(stage: Stage, pane: Pane, context: CanvasRenderingContext2D): void {
  for (const region of stage.regions.on(pane)) {
    const corners = cornersOf(region, pane.geometry);
    const [[x0, y0], , [x1, y1]] = corners;
    const chosen = stage.regions.selected.value === region.id;
    const trace = () => {
      context.beginPath();
      if (region.kind === "rectangle") context.rect(x0, y0, x1 - x0, y1 - y0);
      else
        context.ellipse((x0 + x1) / 2, (y0 + y1) / 2, Math.abs(x1 - x0) / 2, Math.abs(y1 - y0) / 2, 0, 0, 2 * Math.PI);
    };
    trace();
    context.lineWidth = 3;
    context.strokeStyle = "rgb(0 0 0 / .6)";
    context.stroke();
    context.lineWidth = chosen ? 2 : 1.25;
    context.strokeStyle = region.isForeign ? FOREIGN : COLOUR;
    context.stroke();
    if (chosen)
      for (const [x, y] of corners) {
        context.fillStyle = "#fff";
        context.fillRect(x - HANDLE_PX / 2, y - HANDLE_PX / 2, HANDLE_PX, HANDLE_PX);
      }
    regionWords(region, stage.session.valueUnit).forEach((words, n) =>
      label(
        context,
        words,
        Math.max(x0, x1) + 8,
        Math.min(y0, y1) + 10 + 18 * n,
        pane.geometry,
        region.isForeign ? FOREIGN : COLOUR,
      ),
    );
  }
}
