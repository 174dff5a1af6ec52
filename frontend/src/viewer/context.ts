/** What the server tells the page beside voxels: the viewer context of docs/formats.md. */

import type { Ijk, Zyx } from "../editor/types";
import type { VolumeIndex } from "./load/volume";

export interface Segment {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly colour: string;
  readonly infectious: boolean;
}

export interface Layer {
  readonly name: string;
  readonly title: string;
  readonly editable: boolean;
  /** Where what is marked lies: the viewer then keeps to it, and warns of the rest. */
  readonly limit: "" | "lungs";
  readonly segments: readonly Segment[];
}

export interface Option {
  readonly value: string;
  readonly label: string;
  readonly means?: string;
}

export interface Question {
  readonly key: string;
  readonly text: string;
  readonly kind: "choice" | "boolean" | "text" | "number" | "choices";
  /** When it is shown. */
  readonly required: boolean;
  readonly options: readonly Option[];
  /** Of a number: both bounds are part of it. */
  readonly unit: string;
  readonly min: number | null;
  readonly max: number | null;
  readonly decimals: number;
  /** Of a text. */
  readonly max_length: number;
  /** Only asked when an earlier question that is asked has one of these answers. */
  readonly shown_when: { readonly question: string; readonly in: readonly (string | boolean)[] } | null;
}

export interface Comment {
  readonly id: string;
  readonly author: string;
  readonly text: string;
  readonly ijk: Ijk | null;
  readonly round: number;
  readonly state: string;
  readonly created_at: string;
  readonly edited_at: string | null;
  readonly replies: readonly Reply[];
}

/** An answer to a comment. */
export interface Reply {
  readonly id: string;
  readonly author: string;
  readonly text: string;
  readonly created_at: string;
  readonly edited_at: string | null;
}

/** Where to look at what is not right. */
export interface Jump {
  readonly question?: string | null;
  readonly layer?: string;
  readonly ijk?: Ijk | null;
  readonly comments?: boolean;
  readonly refused?: boolean;
  readonly segments?: boolean;
}

export interface Interlock {
  readonly code: string;
  readonly message: string;
  readonly blocking?: boolean;
  readonly jump: Jump;
}

export interface OverlaySource {
  readonly key: string;
  readonly title: string;
  readonly layer: string;
  readonly revision: string;
  readonly url: string;
}

/** Another scan of the subject that this person may look at. */
export interface PriorSource {
  readonly scan: string;
  readonly code: string;
  readonly description: string;
  readonly volume: string;
  readonly mask: string | null;
}

export interface Context {
  readonly prior?: PriorSource | null;
  readonly id: string;
  readonly stage: "annotation" | "review" | "arbitration";
  readonly state: string;
  readonly round: number;
  readonly reason?: string;
  readonly batch: {
    readonly id: string;
    readonly name: string;
    readonly position: number;
    readonly size: number;
    readonly due_on: string | null;
  };
  readonly campaign: { readonly id: string; readonly name: string };
  readonly scan: {
    readonly id: string;
    readonly code: string;
    readonly site: string;
    readonly modality: string;
    readonly description: string;
    readonly shape_zyx: Zyx;
    readonly spacing_mm_zyx: Zyx;
    readonly volume: string;
    /** What `volume` answers; null while the scan is not ready. */
    readonly index: VolumeIndex | null;
  };
  readonly schema: { readonly layers: readonly Layer[]; readonly questions: readonly Question[] };
  readonly masks: Readonly<
    Record<
      string,
      { readonly head: string | null; readonly start: string; readonly source?: string; readonly url: string }
    >
  >;
  readonly overlays: readonly OverlaySource[];
  /** How sure the model of the shown prediction was, coarsely. */
  readonly probability: {
    readonly url: string;
    readonly bytes: number;
    readonly shape_zyx: Zyx;
    readonly step_zyx: Zyx;
    readonly layer: string;
    readonly model: string;
    readonly segment: number | null;
  } | null;
  /** An interactive segmentation server that the operator has set up. */
  readonly interactive: { readonly name: string; readonly licence: string } | null;
  readonly answers: { readonly values: Readonly<Record<string, unknown>>; readonly url: string };
  readonly comments: readonly Comment[];
  /** Up to when this person has read them. */
  readonly comments_seen: string | null;
  readonly review: {
    readonly id: string;
    readonly author: string;
    readonly round: number;
    readonly state: string;
    readonly reasons?: readonly string[];
    /** What the author answered. */
    readonly answers: Readonly<Record<string, unknown>>;
    /** The revisions that were handed in, by layer. */
    readonly submitted: Readonly<Record<string, string>>;
    /** Names of differences that this judge has checked. */
    readonly looked_at: readonly string[];
  } | null;
  readonly can: Readonly<
    Record<"edit" | "submit" | "skip" | "block" | "approve" | "correct" | "return" | "comment", boolean>
  >;
  readonly interlocks: readonly Interlock[];
  readonly lease_until: string | null;
  readonly previous: string | null;
  readonly next: string | null;
  readonly user: string;
  /** Most days that scans may be kept in a browser; 0: not at all. */
  readonly offline_days: number;
  readonly settings: { readonly saved: number; readonly values: Readonly<Record<string, unknown>> };
}

/** The context that the page carries. Throws when the page has none. */
export function readContext(): Context {
  const text = document.getElementById("context")?.textContent;
  if (!text) throw new Error("The page carries no context.");
  return JSON.parse(text) as Context;
}

/** The layer that is drawn on: the first editable one that has a mask. */
export function workingLayer(context: Context): Layer {
  const layer =
    context.schema.layers.find((l) => l.editable && l.name in context.masks) ??
    context.schema.layers.find((l) => l.name in context.masks);
  if (!layer) throw new Error("The label schema has no layer with a mask.");
  return layer;
}
