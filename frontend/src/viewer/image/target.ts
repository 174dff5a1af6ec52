/** What an image backend draws on: one plane of the volume and the elements that show it. */

import type { Plane } from "../../editor/types";
import type { PaneGeometry } from "../geometry/pane";
import type { Slab } from "../geometry/slab";

/** What is to be seen. */
export interface Shown {
  readonly geometry: PaneGeometry;
  readonly index: number;
  readonly slab: Slab | null;
}

export interface Target extends Shown {
  readonly plane: Plane;
}

export type Targets = Readonly<Record<Plane, Target>>;

/** The elements of each plane's image; set by the component that shows them. */
export type Hosts = Map<string, { readonly canvas: HTMLCanvasElement; readonly element: HTMLDivElement }>;
