/** Ellipses and rectangles on a slice, with the figures of the voxels inside: drawn, moved, resized, deleted. */

import { type ReadonlySignal, signal } from "@preact/signals";
import { type Ijk, type Plane, perAxis } from "../../editor/types";
import { uuid } from "../../editor/uuid";
import type { PaneGeometry } from "../geometry/pane";
import { regionFacts, type RegionFacts, type RegionKind } from "../geometry/statistics";
import { t } from "../../ground/language";
import { settings } from "../../ground/settings";
import type { Gesture, PanePoint } from "./gesture";
import { thin } from "../../ground/words";
import type { Pane, Panes } from "./pane";
import type { ScanSession } from "../scan/session";
import { SLICE_AXES } from "../geometry/layout";

/** Opposite corners are continuous ijk on slice `index` of `plane`. */
export interface Region {
  readonly id: string;
  /** Somebody else's: it is looked at only. */
  readonly isForeign?: boolean;
  readonly kind: RegionKind;
  readonly plane: Plane;
  readonly index: number;
  readonly from: Ijk;
  readonly to: Ijk;
  readonly facts: RegionFacts;
}

/** A corner is taken within this, in CSS pixels. */
export const HANDLE_PX = 7;
const LEAST_PX = 4;

export class Regions {
  readonly #list = signal<readonly Region[]>([]);
  readonly list: ReadonlySignal<readonly Region[]> = this.#list;
  readonly #selected = signal<string | null>(null);
  readonly selected: ReadonlySignal<string | null> = this.#selected;

  constructor(
    private readonly session: ScanSession,
    private readonly panes: Panes,
  ) {}

  #facts(kind: RegionKind, plane: Plane, index: number, from: Ijk, to: Ijk): RegionFacts {
    const volume = this.session.volume.value;
    if (!volume) throw new Error("The volume has not come yet.");
    const [u, v] = SLICE_AXES[plane];
    const mm = this.panes[plane].geometry.mmPerVoxel;
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

  /** Regions of before, or of others, are there again. Without their figures as long as the voxels have not come. */
  bring(regions: readonly Omit<Region, "facts">[]): void {
    const selected = this.#selected.peek();
    for (const region of regions) this.#put(region);
    this.#selected.value = selected;
  }

  #put(region: Omit<Region, "facts">): void {
    const whole = { ...region, facts: this.#facts(region.kind, region.plane, region.index, region.from, region.to) };
    this.#list.value = [...this.list.value.filter((r) => r.id !== region.id), whole];
    this.#selected.value = region.id;
  }

  on(pane: Pane): Region[] {
    if (pane.isOblique) return [];
    return this.list.value.filter(({ plane, index }) => plane === pane.plane && index === pane.index);
  }

  /** A press: on a corner it resizes, inside it moves, elsewhere it begins a new one. */
  press(at: PanePoint): Gesture {
    const { pane } = at;
    const before = this.list.value;
    const wasSelected = this.selected.value;
    const cancel = () => {
      this.#list.value = before;
      this.#selected.value = wasSelected;
    };
    const own = this.on(pane).filter(({ isForeign }) => !isForeign);
    for (const region of own.reverse()) {
      const corner = cornersOf(region, pane.geometry).find(([x, y]) => Math.hypot(x - at.x, y - at.y) <= HANDLE_PX + 2);
      if (corner) {
        const from = anchorOf(region, pane.geometry, corner);
        return { move: ({ grid }) => this.#put({ ...region, from, to: grid }), cancel };
      }
      if (inside(region, at)) {
        this.#selected.value = region.id;
        return {
          move: ({ grid }) => {
            const by = perAxis((n) => grid[n] - at.grid[n]);
            this.#put({
              ...region,
              from: perAxis((n) => region.from[n] + by[n]),
              to: perAxis((n) => region.to[n] + by[n]),
            });
          },
          cancel,
        };
      }
    }
    const id = uuid();
    const kind = settings.value.regionKind;
    return {
      move: ({ grid }) => this.#put({ id, kind, plane: pane.plane, index: pane.wanted, from: at.grid, to: grid }),
      end: (end) => {
        if (Math.hypot(end.x - at.x, end.y - at.y) < LEAST_PX) {
          cancel();
          this.#selected.value = null;
        }
      },
      cancel,
    };
  }

  /** 20 mm round a voxel, for the keyboard. */
  addAround(plane: Plane, ijk: Ijk): void {
    const mm = this.panes[plane].geometry.mmPerVoxel;
    const corner = (side: number) => perAxis((n) => ijk[n] + 0.5 + (side * 10) / mm[n]);
    this.#put({
      id: uuid(),
      kind: settings.value.regionKind,
      plane,
      index: ijk[this.panes[plane].geometry.layout.across],
      from: corner(-1),
      to: corner(1),
    });
  }

  /** Delete the selected one. False when none is. */
  remove(): boolean {
    const id = this.selected.value;
    if (id === null) return false;
    this.#list.value = this.list.value.filter((r) => r.id !== id);
    this.#selected.value = null;
    return true;
  }

  clear(): void {
    this.#list.value = this.list.value.filter(({ isForeign }) => isForeign);
    this.#selected.value = null;
  }
}

type Corner = [number, number];

/** Screen points of its corners, clockwise from `from`. */
export function cornersOf({ from, to }: Region, geometry: PaneGeometry): [Corner, Corner, Corner, Corner] {
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
function anchorOf(region: Region, geometry: PaneGeometry, [x, y]: Corner): Ijk {
  const [x0, y0] = geometry.toScreen(region.from),
    [x1, y1] = geometry.toScreen(region.to);
  return geometry.toGrid(x0 + x1 - x, y0 + y1 - y, region.index);
}

function inside(region: Region, { x, y, pane }: PanePoint): boolean {
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
