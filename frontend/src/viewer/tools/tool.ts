/** What a tool of the viewer is: one object, from which the rail, the palette, the keys, the panel and the panes are made. */

import type { ComponentChild } from "preact";
import type { Ijk, Plane, Tool } from "../../editor/types";
import type { Context } from "../context";
import type { Desk } from "../desk";
import type { IconName } from "../panels/icons";
import type { Pane, View } from "../panes/view";
import type { Session } from "../session";
import type { Settings } from "../settings";

/** Where the pointer is on a pane. */
export interface Place {
  readonly pane: Pane;
  /** CSS pixels in the pane. */
  readonly x: number;
  readonly y: number;
  /** Continuous voxel coordinates; the middle of a voxel is at +0.5. */
  readonly grid: readonly [number, number, number];
  /** null outside the volume. */
  readonly voxel: Ijk | null;
  /** Alt, Ctrl or Cmd is held: the opposite of what the tool does. */
  readonly inverse: boolean;
  /** Part of the radius that the pressure of a pen gives a brush; 1 for everything else. */
  readonly reach: number;
}

/** What a press began, until release. `cancel` takes back what it did: a second finger came, or the browser took the pointer away. */
export interface Gesture {
  move?(to: Place): void;
  end?(at: Place): void;
  cancel?(): void;
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
  /** The editor's tool for a stroke in `plane`, by the settings of now. */
  stroke(session: Session, plane: Plane): Tool;
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
  press?(desk: Desk, at: Place): Gesture | null;
  /** The pointer rests over a pane, or has left it. */
  hover?(desk: Desk, plane: Plane, at: Ijk | null): void;
  /** Wheel with the tool chosen: `"zoom"`, or a function that answers whether it took these notches (up is positive). */
  readonly wheel?: "zoom" | ((desk: Desk, event: WheelEvent, notches: number) => boolean);
  /** Its marks over a pane, in CSS pixels. */
  draw?(view: View, pane: Pane, context: CanvasRenderingContext2D): void;
  /** Its settings, below title and words. */
  Settings?(props: { readonly desk: Desk }): ComponentChild;
  /** Enter, Backspace and Escape while the tool is chosen. */
  enter?(desk: Desk): void;
  back?(desk: Desk): void;
  escape?(desk: Desk): void;
  /** Another tool was chosen. */
  leave?(desk: Desk): void;
}
