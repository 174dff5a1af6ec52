/** What the page carries beside voxels: the context, and what is looked up in it. */

import { checked, valueOf } from "./api";
import type { Shape } from "./check";
import type * as contract from "./contract";
import * as shape from "./shapes";

type Layer = contract.Layer;
type Sized = Pick<contract.VolumeIndex, "shape_zyx" | "spacing_mm_zyx">;

/** The context of a page with a scan on it, which has a size. */
export type Context = contract.Context & { readonly scan: Sized };

/** Where to look at what is not right: also at what only this page shows. */
export interface Jump extends contract.Jump {
  readonly comments?: boolean;
  readonly refused?: boolean;
  readonly segments?: boolean;
  readonly proposed?: boolean;
}

/** One thing that is not right, as the server or this page says it. */
export interface Interlock extends Pick<contract.Interlock, "code" | "message"> {
  readonly blocking?: boolean;
  readonly jump: Jump;
}

const SIZED: Shape<Sized> = "shape_zyx:3i spacing_mm_zyx:3n";

/** The context that a page carries. Throws `Problem` when it has none, or another one. */
export function readContext(page: Document = document): Context {
  const context = checked(valueOf(page.getElementById("context")?.textContent ?? ""), shape.Context, "context");
  return { ...context, scan: { ...context.scan, ...checked(context.scan, SIZED, "context/scan") } };
}

/** Whether the person judges the work of others here. */
export function judges({ stage }: Pick<Context, "stage">): boolean {
  return stage === "review" || stage === "arbitration";
}

/** The layer that is drawn on: the first editable one that has a mask. */
export function workingLayer(context: Pick<Context, "schema" | "masks">): Layer {
  const layer =
    context.schema.layers.find((l) => l.editable && l.name in context.masks) ??
    context.schema.layers.find((l) => l.name in context.masks);
  if (!layer) throw new Error("The label schema has no layer with a mask.");
  return layer;
}

/** Where the mask of a layer lies. Throws for a layer without one. */
export function maskOf(context: Pick<Context, "masks">, layer: Pick<Layer, "name">): Context["masks"][string] {
  const mask = context.masks[layer.name];
  if (!mask) throw new Error(`The layer ${layer.name} has no mask.`);
  return mask;
}
