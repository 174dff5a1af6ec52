/** What a drag over a pane does: move, zoom, window, crosshair, measure. Each answers the gesture that a press begins. */

import type { Gesture, Place } from "../tools/tool";
import type { View } from "./view";

/** Calls `step` with the way since the last move, in CSS pixels. */
function dragging(from: Place, step: (dx: number, dy: number) => void): Gesture {
  let { x, y } = from;
  return {
    move: (to) => {
      step(to.x - x, to.y - y);
      ({ x, y } = to);
    },
  };
}

export function panning(view: View, from: Place): Gesture {
  return dragging(from, (dx, dy) => {
    from.pane.geometry.panBy(dx, dy);
    view.touch(from.pane);
  });
}

export function zooming(view: View, from: Place): Gesture {
  return dragging(from, (_, dy) => {
    from.pane.geometry.zoomAt(Math.exp(-dy / 150), from.x, from.y);
    view.touch(from.pane);
  });
}

export function windowing({ session }: View, from: Place): Gesture {
  return dragging(from, (dx, dy) => {
    const { level, width } = session.window.value;
    const step = Math.max(1, width / 400);
    session.window.value = { level: Math.round(level + dy * step), width: Math.max(10, Math.round(width + dx * step)) };
  });
}

export function crossing({ session }: View, from: Place): Gesture {
  const go = ({ voxel }: Place): void => {
    if (voxel) session.goTo(voxel);
  };
  go(from);
  return { move: go };
}

/** Turning the planes: the crosshair's lines follow the pointer round the crosshair. */
export function turning(view: View, from: Place): Gesture {
  const { pane } = from;
  const angle = ({ x, y }: Place) => {
    const [cx, cy] = pane.geometry.toScreen(view.planes.centre);
    return Math.atan2(y - cy, x - cx);
  };
  let last = angle(from);
  return {
    move: (to) => {
      const now = angle(to);
      view.planes.turn(pane, Math.atan2(Math.sin(now - last), Math.cos(now - last)));
      last = now;
    },
  };
}

/** A press without a drag measures nothing. */
const LEAST_PX = 3;

export function measuring(view: View, from: Place): Gesture {
  const others = view.measurements.value;
  const line = (to: Place) => ({ from: from.grid, to: to.grid });
  view.measurements.value = [...others, line(from)];
  return {
    move: (to) => {
      view.measurements.value = [...others, line(to)];
    },
    end: (at) => {
      if (Math.hypot(at.x - from.x, at.y - from.y) < LEAST_PX) view.measurements.value = others;
    },
    cancel: () => {
      view.measurements.value = others;
    },
  };
}
