/** Segments, strokes and the brush. */

import { stepRadius, stepTolerance } from "../tools/radius";
import type { Desk } from "../desk/desk";
import { change, settings } from "../../ground/settings";
import { brushOf, toolOf } from "../tools";
import { stepStroke } from "../tools/stepping";
import type { Command } from "./command";

export function drawingCommands(desk: Desk): Command[] {
  return [segmentCommands, brushCommands, stepCommands, ruleCommands].flatMap((commands) => commands(desk));
}

/** Which segment is drawn, and taking strokes back. */
function segmentCommands(desk: Desk): Command[] {
  const { session } = desk;
  const { can } = session.context;
  const editable = () => session.editable.value;
  return [
    ...session.segments.slice(0, 8).map((segment, n) => ({
      id: `segment-${segment.id}`,
      title: "Draw {name}",
      values: { name: segment.name },
      group: "Drawing" as const,
      keys: [String(n + 1)],
      offered: can.edit,
      run: () => {
        session.selection.drawWith(segment.id);
      },
    })),
    {
      id: "undo",
      title: "Undo",
      group: "Drawing",
      keys: ["Ctrl+Z"],
      offered: can.edit,
      when: editable,
      run: () => {
        session.notices.expire();
        void session.editor.undo();
      },
    },
    {
      id: "redo",
      title: "Redo",
      group: "Drawing",
      keys: ["Ctrl+Shift+Z", "Ctrl+Y"],
      offered: can.edit,
      when: editable,
      run: () => {
        session.notices.expire();
        void session.editor.redo();
      },
    },
  ];
}

/** The brush in hand. */
function brushCommands(desk: Desk): Command[] {
  const { session } = desk;
  const { can } = session.context;
  const editable = () => session.editable.value;
  const painting = () => brushOf(session) !== undefined;
  const step = (notches: number) => {
    const brush = brushOf(session);
    if (brush) stepRadius(brush, notches);
  };

  return [
    {
      id: "smaller",
      title: "Smaller brush",
      group: "Drawing",
      keys: ["["],
      offered: can.edit,
      when: painting,
      run: () => step(-1),
    },
    {
      id: "larger",
      title: "Larger brush",
      group: "Drawing",
      keys: ["]"],
      offered: can.edit,
      when: painting,
      run: () => step(1),
    },
    {
      id: "less",
      title: "Tolerance: paint more",
      group: "Drawing",
      keys: [","],
      offered: can.edit,
      when: () => session.selection.tool.value === "grow",
      run: () => stepTolerance(-1),
    },
    {
      id: "more",
      title: "Tolerance: paint less",
      group: "Drawing",
      keys: ["."],
      offered: can.edit,
      when: () => session.selection.tool.value === "grow",
      run: () => stepTolerance(1),
    },
    {
      id: "paint-here",
      title: "Paint at the crosshair",
      group: "Drawing",
      keys: ["Enter"],
      offered: can.edit,
      when: () => toolOf(session).enter !== undefined && editable(),
      run: () => toolOf(session).enter?.(desk),
    },
  ];
}

/** The last stroke again, with another bound. */
function stepCommands({ session }: Desk): Command[] {
  const { can } = session.context;
  const editable = () => session.editable.value;
  return [
    {
      id: "stroke-more",
      title: "Last stroke: take more",
      group: "Drawing",
      keys: ["Alt+,"],
      offered: can.edit,
      when: editable,
      run: () => void stepStroke(session, 1),
    },
    {
      id: "stroke-less",
      title: "Last stroke: take less",
      group: "Drawing",
      keys: ["Alt+."],
      offered: can.edit,
      when: editable,
      run: () => void stepStroke(session, -1),
    },
  ];
}

/** What a stroke keeps to. */
function ruleCommands(desk: Desk): Command[] {
  const { session } = desk;
  const { can } = session.context;
  const editable = () => session.editable.value;
  return [
    {
      id: "limit",
      title: "Stay in the lung if begun in it, on or off",
      group: "Drawing",
      keys: ["I"],
      offered: can.edit && session.isInLungs,
      when: editable,
      run: () => change({ useLimit: !settings.value.useLimit }),
    },
    {
      id: "planar",
      title: "This slice only, on or off",
      group: "Drawing",
      keys: ["S"],
      offered: can.edit,
      when: editable,
      run: () => change({ planar: !settings.value.planar }),
    },
    {
      id: "lock",
      title: "Lock or unlock the segment",
      group: "Drawing",
      keys: ["L"],
      offered: can.edit,
      when: editable,
      run: () => {
        session.selection.toggleLocked(session.selection.segment.value);
      },
    },
  ];
}
