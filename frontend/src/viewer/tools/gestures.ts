/**
 * What a drag over a pane does: move, zoom, window, crosshair, measure. Each answers the gesture that a press begins.
 */

import { uuid } from "../../editor/uuid";
import type { Gesture, PanePoint } from "../stage/gesture";
import type { Stage } from "../stage/stage";

/** Calls `step` with the way since the last move, in CSS pixels. */
function dragging(from: PanePoint, step: (dx: number, dy: number) => void): Gesture {
  let { x, y } = from;
  return {
    move: (to) => {
      step(to.x - x, to.y - y);
      ({ x, y } = to);
    },
  };
}

export function panning(stage: Stage, from: PanePoint): Gesture {
  return dragging(from, (dx, dy) => {
    from.pane.geometry.panBy(dx, dy);
    stage.touch(from.pane);
  });
}

export function zooming(stage: Stage, from: PanePoint): Gesture {
  return dragging(from, (_, dy) => {
    from.pane.geometry.zoomAt(Math.exp(-dy / 150), from.x, from.y);
    stage.touch(from.pane);
  });
}

export function windowing({ session }: Stage, from: PanePoint): Gesture {
  return dragging(from, (dx, dy) => {
    const { level, width } = session.window.value;
    const step = Math.max(1, width / 400);
    session.showWindow({ level: Math.round(level + dy * step), width: Math.max(10, Math.round(width + dx * step)) });
  });
}

export function crossing({ session }: Stage, from: PanePoint): Gesture {
  const go = ({ voxel }: PanePoint): void => {
    if (voxel) session.goTo(voxel);
  };
  go(from);
  return { move: go };
}

/** Turning the planes: the crosshair's lines follow the pointer round the crosshair. */
export function turning(stage: Stage, from: PanePoint): Gesture {
  const { pane } = from;
  const angle = ({ x, y }: PanePoint) => {
    const [cx, cy] = pane.geometry.toScreen(stage.planes.centre);
    return Math.atan2(y - cy, x - cx);
  };
  let last = angle(from);
  return {
    move: (to) => {
      const now = angle(to);
      stage.planes.turn(pane, Math.atan2(Math.sin(now - last), Math.cos(now - last)));
      last = now;
    },
  };
}

/** A press without a drag measures nothing. */
const LEAST_PX = 3;

export function measuring(stage: Stage, from: PanePoint): Gesture {
  const others = stage.measurements.value;
  const id = uuid();
  const line = (to: PanePoint) => ({ id, from: from.grid, to: to.grid });
  stage.measure([...others, line(from)]);
  return {
    move: (to) => {
      stage.measure([...others, line(to)]);
    },
    end: (at) => {
      if (Math.hypot(at.x - from.x, at.y - from.y) < LEAST_PX) stage.measure(others);
    },
    cancel: () => {
      stage.measure(others);
    },
  };
}
