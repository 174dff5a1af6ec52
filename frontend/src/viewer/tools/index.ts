/**
 * The tools, in the order of the rail. To add one: write its object (see `tool.ts`) in a file of this folder and name
 * it here. Rail, palette, key, cursor, settings and pointer follow from it; a test holds that names and keys are
 * single.
 */

import type { Context } from "../../ground/context";
import type { ScanSession } from "../scan/session";
import { circle, eraser, grow, sphere } from "./brushes";
import { click } from "./clicking";
import { lasso, scissors } from "./lines";
import { comment, measure, pan, select, window } from "./looking";
import { region } from "./regions";
import { threshold } from "./threshold";
import type { Brush, ToolDefinition } from "./tool";

export const TOOLS: readonly ToolDefinition[] = [
  select,
  window,
  pan,
  grow,
  sphere,
  circle,
  threshold,
  click,
  lasso,
  eraser,
  scissors,
  measure,
  region,
  comment,
];

/** The definition of the chosen tool. */
export function toolOf(session: ScanSession): ToolDefinition {
  return TOOLS.find(({ name }) => name === session.selection.tool.value) ?? select;
}

/** The chosen tool as a brush; undefined when it is none. */
export function brushOf(session: ScanSession): Brush | undefined {
  return toolOf(session).brush;
}

export function offeredTools({ can }: Context): ToolDefinition[] {
  return TOOLS.filter(({ needs }) => !needs || can[needs]);
}
