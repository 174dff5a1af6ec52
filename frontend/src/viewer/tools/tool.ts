/**
 * What a tool of the viewer is: one object, from which the rail, the palette, the keys, the panel and the panes are
 * made.
 */

import type { ReadonlySignal } from "@preact/signals";
import type { ComponentChild } from "preact";
import type { Ijk, Plane, Tool } from "../../editor/types";
import type { Context } from "../../ground/context";
import type { IconName } from "../controls/icons";
import type { Gesture, PanePoint } from "../stage/gesture";
import type { Pane } from "../stage/pane";
import type { Stage } from "../stage/stage";
import type { ScanSession } from "../scan/session";
import type { Settings } from "../../ground/settings";
import type { Operations } from "./operations";

/** Strokes of the brush in hand, from press to release (`strokes.ts`). */
export interface Painting {
  /** Press: the first dab lands at once. False when painting is not possible; the reason stands beside the cursor. */
  begin(plane: Plane, ijk: Ijk, reach?: number): boolean;
  /** The pointer is over this voxel now. */
  move(ijk: Ijk, reach?: number): void;
  /** Release: one entry of the history. */
  end(): Promise<void>;
  cancel(): Promise<void>;
  /** One dab at a voxel, for the keyboard. */
  touch(plane: Plane, ijk: Ijk): Promise<void>;
  /** The pointer rests over this voxel: show what a stroke would take. */
  hover(plane: Plane, ijk: Ijk | null): void;
}

/** What a tool may ask of the page. */
export interface ToolHost {
  readonly session: ScanSession;
  /** null until there is something to see. */
  readonly stage: ReadonlySignal<Stage | null>;
  readonly strokes: ReadonlySignal<Painting | null>;
  readonly operations: Pick<Operations, "run">;
  /** Let the person write a comment on this voxel. */
  askForComment(ijk: Ijk): void;
}

/** A tool that paints or erases round the cursor from press to release. */
export interface Brush {
  /** The setting that holds its radius in mm. */
  readonly radius: { readonly [K in keyof Settings]: Settings[K] extends number ? K : never }[keyof Settings];
  /** Takes voxels away. */
  readonly erases?: boolean;
  /** Shows beforehand what a stroke would take, while the setting is on. */
  readonly previews?: boolean;
  /** The pressure of a pen makes it smaller, while the setting is on. */
  readonly pressure?: boolean;
  /** Which of its switches are not at their defaults, in a word each; they stand beside the cursor. */
  switched?(session: ScanSession): readonly string[];
  /** The editor's tool for a stroke in `plane`, by the settings of now. */
  stroke(session: ScanSession, plane: Plane): Tool;
}

export interface ToolDefinition {
  readonly name: string;
  /** English; `t()` is applied where it is shown. */
  readonly title: string;
  /** One sentence at the head of its settings. */
  readonly words: string;
  readonly key: string;
  readonly icon: IconName;
  /** Tools of one group stand together in the rail. */
  readonly group: "look" | "draw" | "mark";
  /** CSS cursor over a pane. */
  readonly cursor: string;
  /** What the person must be allowed to do for the tool to be there at all. */
  readonly needs?: keyof Context["can"];
  readonly brush?: Brush;
  /** Works on the slices of the grid only, not on oblique planes (nor, as no tool that draws does, on slabs). */
  readonly straight?: boolean | (() => boolean);
  /** A press of the first button, a pen or one finger. Null: the press was all. */
  press?(host: ToolHost, at: PanePoint): Gesture | null;
  /** The pointer rests over a pane, or has left it. */
  hover?(host: ToolHost, plane: Plane, at: Ijk | null): void;
  /**
   * Wheel with the tool chosen: `"zoom"`, or a function that answers whether it took these notches (up is positive).
   */
  readonly wheel?: "zoom" | ((host: ToolHost, event: WheelEvent, notches: number) => boolean);
  /** Its marks over a pane, in CSS pixels. */
  readonly draw?: (stage: Stage, pane: Pane, context: CanvasRenderingContext2D) => void;
  /** Its settings, below title and words. */
  readonly Settings?: (props: { readonly host: ToolHost }) => ComponentChild;
  /** Enter, Backspace and Escape while the tool is chosen. */
  readonly enter?: (host: ToolHost) => void;
  readonly back?: (host: ToolHost) => void;
  readonly escape?: (host: ToolHost) => void;
  /** Another tool was chosen. */
  readonly leave?: (host: ToolHost) => void;
}
