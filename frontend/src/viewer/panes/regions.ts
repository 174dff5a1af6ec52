/** Ellipses and rectangles on a slice, with the figures of the voxels inside: drawn, moved, resized, deleted. */

import { signal } from "@preact/signals";
import type { Ijk, Plane } from "../../editor/types";
import type { PaneGeometry } from "../image/geometry";
import { regionFacts, type RegionFacts, type RegionKind } from "../image/statistics";
import { t } from "../language";
import { settings } from "../settings";
import type { Gesture, Place } from "../tools/tool";
import { thin } from "../words";
import { label } from "./labels";
import type { Pane, View } from "./view";

/** Opposite corners are continuous ijk on slice `index` of `plane`. */
export interface Region {
  readonly id: number;
  readonly kind: RegionKind;
  readonly plane: Plane;
  readonly index: number;
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly facts: RegionFacts;
}

const HANDLE_PX = 7;
const LEAST_PX = 4;
const COLOUR = "#9be7ff";

export class Regions {
  readonly list = signal<readonly Region[]>([]);
  readonly selected = signal<number | null>(null);
  #next = 1;

  constructor(private readonly view: View) {}

  #facts(kind: RegionKind, plane: Plane, index: number, from: readonly number[], to: readonly number[]): RegionFacts {
    const volume = this.view.session.volume.value;
    if (!volume) throw new Error("The volume has not come yet.");
    const [u, v] = plane === "axial" ? [0, 1] : plane === "coronal" ? [0, 2] : [1, 2];
    const mm = this.view.panes[plane].geometry.mmPerVoxel;
    return regionFacts(
      volume.hu,
      volume.shapeZyx,
      plane,
      index,
      kind,
      { u0: from[u], v0: from[v], u1: to[u], v1: to[v] },
      mm[u] * mm[v],
      volume.offset,
    );
  }

  #put(region: Omit<Region, "facts">): void {
    const whole = { ...region, facts: this.#facts(region.kind, region.plane, region.index, region.from, region.to) };
    this.list.value = [...this.list.value.filter((r) => r.id !== region.id), whole];
    this.selected.value = region.id;
  }

  on(pane: Pane): Region[] {
    if (pane.askew) return [];
    return this.list.value.filter(({ plane, index }) => plane === pane.plane && index === pane.index);
  }

  /** A press: on a corner it resizes, inside it moves, elsewhere it begins a new one. */
  press(at: Place): Gesture {
    const { pane } = at;
    const before = this.list.value;
    const wasSelected = this.selected.value;
    const cancel = () => {
      this.list.value = before;
      this.selected.value = wasSelected;
    };
    for (const region of this.on(pane).reverse()) {
      const corner = cornersOf(region, pane.geometry).find(([x, y]) => Math.hypot(x - at.x, y - at.y) <= HANDLE_PX + 2);
      if (corner) {
        const from = anchorOf(region, pane.geometry, corner);
        return { move: ({ grid }) => this.#put({ ...region, from, to: grid }), cancel };
      }
      if (inside(region, at)) {
        this.selected.value = region.id;
        return {
          move: ({ grid }) => {
            const by = grid.map((g, n) => g - at.grid[n]);
            this.#put({
              ...region,
              from: region.from.map((g, n) => g + by[n]),
              to: region.to.map((g, n) => g + by[n]),
            });
          },
          cancel,
        };
      }
    }
    const id = this.#next++;
    const kind = settings.value.regionKind;
    return {
      move: ({ grid }) => this.#put({ id, kind, plane: pane.plane, index: pane.wanted, from: at.grid, to: grid }),
      end: (end) => {
        if (Math.hypot(end.x - at.x, end.y - at.y) < LEAST_PX) {
          cancel();
          this.selected.value = null;
        }
      },
      cancel,
    };
  }

  /** 20 mm round a voxel, for the keyboard. */
  place(plane: Plane, ijk: Ijk): void {
    const mm = this.view.panes[plane].geometry.mmPerVoxel;
    const corner = (side: number) => ijk.map((c, n) => c + 0.5 + (side * 10) / mm[n]);
    this.#put({
      id: this.#next++,
      kind: settings.value.regionKind,
      plane,
      index: ijk[this.view.panes[plane].geometry.layout.across],
      from: corner(-1),
      to: corner(1),
    });
  }

  /** Delete the selected one. False when none is. */
  remove(): boolean {
    const id = this.selected.value;
    if (id === null) return false;
    this.list.value = this.list.value.filter((r) => r.id !== id);
    this.selected.value = null;
    return true;
  }

  clear(): void {
    this.list.value = [];
    this.selected.value = null;
  }
}

function cornersOf({ from, to }: Region, geometry: PaneGeometry): [number, number][] {
  const [x0, y0] = geometry.toScreen(from),
    [x1, y1] = geometry.toScreen(to);
  return [
    [x0, y0],
    [x1, y0],
    [x1, y1],
    [x0, y1],
  ];
}

/** Grid position of the corner opposite to this one. */
function anchorOf(region: Region, geometry: PaneGeometry, [x, y]: readonly number[]): readonly number[] {
  const [x0, y0] = geometry.toScreen(region.from),
    [x1, y1] = geometry.toScreen(region.to);
  return geometry.toGrid(x0 + x1 - x, y0 + y1 - y, region.index);
}

function inside(region: Region, { x, y, pane }: Place): boolean {
  const [x0, y0] = pane.geometry.toScreen(region.from),
    [x1, y1] = pane.geometry.toScreen(region.to);
  return x >= Math.min(x0, x1) && x <= Math.max(x0, x1) && y >= Math.min(y0, y1) && y <= Math.max(y0, y1);
}

const figure = (value: number | null) => (value === null ? "–" : thin(value));

/** Words of a region, one line each. */
export function regionWords({ facts }: Region, unit: string): string[] {
  const { mean, sd, min, max, areaMm2, voxels } = facts;
  return [
    `${figure(mean)} ± ${figure(sd)}${unit}`,
    t("{first} to {last}", { first: figure(min), last: `${figure(max)}${unit}` }),
    t("{area} mm², {n} voxels", { area: areaMm2 < 10 ? areaMm2.toFixed(1) : thin(areaMm2), n: thin(voxels) }),
  ];
}

export function drawRegions(view: View, pane: Pane, context: CanvasRenderingContext2D): void {
  for (const region of view.regions.on(pane)) {
    const corners = cornersOf(region, pane.geometry);
    const [[x0, y0], , [x1, y1]] = corners;
    const chosen = view.regions.selected.value === region.id;
    const trace = () => {
      context.beginPath();
      if (region.kind === "rectangle") context.rect(x0, y0, x1 - x0, y1 - y0);
      else
        context.ellipse((x0 + x1) / 2, (y0 + y1) / 2, Math.abs(x1 - x0) / 2, Math.abs(y1 - y0) / 2, 0, 0, 2 * Math.PI);
    };
    trace();
    context.lineWidth = 3;
    context.strokeStyle = "rgb(0 0 0 / .6)";
    context.stroke();
    context.lineWidth = chosen ? 2 : 1.25;
    context.strokeStyle = COLOUR;
    context.stroke();
    if (chosen)
      for (const [x, y] of corners) {
        context.fillStyle = "#fff";
        context.fillRect(x - HANDLE_PX / 2, y - HANDLE_PX / 2, HANDLE_PX, HANDLE_PX);
      }
    regionWords(region, view.session.valueUnit).forEach((words, n) =>
      label(context, words, Math.max(x0, x1) + 8, Math.min(y0, y1) + 10 + 18 * n, pane.geometry, COLOUR),
    );
  }
}
