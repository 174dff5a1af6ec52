/**
 * Which proposed lesions the reader has accepted. The strokes say it, so that undo, a reload and another tab agree;
 * the server says it of those before (`accepted` of the mask message, docs/formats.md).
 */

import type { Ijk, Stroke } from "./types";

/** The stroke that accepted, a voxel of the lesion, and whether it holds: an undone one may be done again. */
export type Accepted = readonly [stroke: string, i: number, j: number, k: number, holds: boolean];

/** A stroke of one of these accepts the lesion that it names. */
const ACCEPTING: readonly string[] = ["accept", "regrow"];

export class AcceptedLesions {
  readonly #found = new Map<string, { readonly ijk: Ijk; holds: boolean }>();

  /** Begins anew with what a message says. */
  load(list: readonly Accepted[]): void {
    this.#found.clear();
    for (const [stroke, i, j, k, holds] of list) this.#found.set(stroke, { ijk: [i, j, k], holds });
  }

  /** In the order in which they were done; strokes that were noted before may come again. */
  note(strokes: readonly Stroke[]): void {
    for (const { id, tool, ijk, params } of strokes) {
      if (ACCEPTING.includes(tool)) this.#found.set(id, { ijk, holds: true });
      else if (tool === "undo" || tool === "redo") {
        const first = this.#found.get(String(params["of"]));
        if (first) first.holds = tool === "redo";
      }
    }
  }

  /** A voxel of each lesion that is accepted now. */
  now(): Ijk[] {
    return [...this.#found.values()].filter(({ holds }) => holds).map(({ ijk }) => ijk);
  }

  list(): Accepted[] {
    return [...this.#found].map(([stroke, { ijk, holds }]) => [stroke, ...ijk, holds]);
  }
}

export const isAccepted = (value: unknown): value is Accepted =>
  Array.isArray(value) &&
  value.length === 5 &&
  typeof value[0] === "string" &&
  value.slice(1, 4).every((n) => Number.isFinite(n)) &&
  typeof value[4] === "boolean";
