/**
 * The images drawn by Cornerstone3D: one planar viewport a pane on one volume that shares its voxels with the page, so
 * that slices appear as they arrive. This is the only module that imports Cornerstone; it is loaded when it is wanted.
 */

import {
  cache,
  Enums,
  eventTarget,
  init,
  RenderingEngine,
  triggerEvent,
  volumeLoader,
  type Types,
} from "@cornerstonejs/core";
import displaySets from "@cornerstonejs/core/utilities/genericViewportDisplaySetMetadataProvider";
import type { PlanarViewport } from "@cornerstonejs/core";
import { type Plane, perAxis, type AxisIndex, type Matrix } from "../../editor/types";
import { PLANES, type ScanSession } from "../scan/session";
import { CanvasBackend, type ImageBackend } from "./backend";
import type { Hosts, Target, Targets } from "./target";
import { type GridGeometry, lpsOf } from "../geometry/grid";
import type { PaneGeometry } from "../geometry/pane";
import type { Window } from "../geometry/window";

const ENGINE = "voxloop";
/** "derived:" tells Cornerstone that nothing is to be fetched for it. */
const VOLUME = "derived:voxloop-scan";
/** Arrived slices are shown together at this pace: each time the texture is filled anew. */
const REFRESH_MS = 400;

type Vector = [number, number, number];

export class CornerstoneBackend implements ImageBackend {
  readonly name: string;
  readonly #engine: RenderingEngine;
  readonly #fit = new Map<Plane, number>();
  readonly #stop: () => void;
  readonly #presented = new Map<Plane, string>();
  /** Draws slabs and oblique planes, as on every other machine. */
  readonly #canvas: CanvasBackend;
  #shownVersion = -1;
  #refresh = 0;

  private constructor(
    private readonly session: ScanSession,
    private readonly targets: Targets,
    private readonly hosts: Hosts,
    private readonly redraw: () => void,
    backend: "gpu" | "cpu",
  ) {
    this.#canvas = new CanvasBackend(session, hosts, false);
    this.name = `cornerstone-${backend}`;
    this.#engine = new RenderingEngine(ENGINE);
    this.#stop = session.fullSlices.subscribe(() => this.#arrived());
  }

  /** `redraw`: slices have arrived. Throws when Cornerstone cannot start here (no WebGL, context refused). */
  static async create(
    session: ScanSession,
    targets: Targets,
    hosts: Hosts,
    redraw: () => void,
    backend: "gpu" | "cpu",
  ): Promise<CornerstoneBackend> {
    const volume = session.volume.value;
    if (!volume) throw new Error("The volume has not come yet.");
    init({
      rendering: {
        planar: {
          renderBackend: backend === "gpu" ? Enums.RenderBackends.GPU : Enums.RenderBackends.CPU,
          cpuVolume: { volumeModifiedThrottleMs: REFRESH_MS },
        },
      },
    } as Types.Cornerstone3DConfig);
    const {
      shapeZyx: [depth, rows, columns],
      spacingMmZyx: [sz, sy, sx],
      lpsFromIjk: lps,
    } = session.geometry;
    const local = volumeLoader.createLocalVolume(VOLUME, {
      scalarData: volume.hu,
      dimensions: [columns, rows, depth],
      spacing: [sx, sy, sz],
      origin: [lps[0][3], lps[1][3], lps[2][3]],
      direction: [...axisOf(lps, 0), ...axisOf(lps, 1), ...axisOf(lps, 2)] as Types.Mat3,
      metadata: metadataOf(session),
    });
    displaySets.add(VOLUME, { imageIds: local.imageIds, kind: "planar", volumeId: VOLUME });
    const made = new CornerstoneBackend(session, targets, hosts, redraw, backend);
    try {
      for (const plane of PLANES) await made.#enable(plane, hosts);
    } catch (error) {
      made.close();
      throw error;
    }
    return made;
  }

  async #enable(plane: Plane, hosts: Hosts): Promise<void> {
    const host = hosts.get(plane);
    if (!host) throw new Error(`The ${plane} pane is not there.`);
    const target = this.targets[plane];
    const { up, towards } = directions(target.geometry, this.session.geometry);
    this.#engine.enableElement({
      viewportId: plane,
      type: Enums.ViewportType.PLANAR_NEXT,
      element: host.element,
      defaultOptions: { background: [0, 0, 0] },
    });
    await this.#viewport(plane).setDisplaySets({
      displaySetId: VOLUME,
      options: { orientation: { viewPlaneNormal: towards, viewUp: up } },
    });
    this.resize(target);
  }

  #viewport(plane: Plane): PlanarViewport {
    return this.#engine.getViewport<PlanarViewport>(plane);
  }

  draw(target: Target, window: Window, smooth: boolean): boolean {
    // A texture would blend what is missing with its neighbours.
    const ours = target.slab !== null || target.geometry.oblique !== null || this.session.lostSlices.value.length > 0;
    const holder = this.hosts.get(target.plane)?.element;
    if (holder) holder.style.visibility = ours ? "hidden" : "";
    if (ours) return this.#canvas.draw(target, window, smooth);
    const viewport = this.#viewport(target.plane);
    const key = `${window.level}/${window.width}/${smooth}`;
    if (this.#presented.get(target.plane) !== key) {
      viewport.setDisplaySetPresentation(VOLUME, {
        voiRange: { lower: window.level - window.width / 2, upper: window.level + window.width / 2 },
        interpolationType: smooth ? Enums.InterpolationType.LINEAR : Enums.InterpolationType.NEAREST,
      });
      this.#presented.set(target.plane, key);
    }
    const point = worldOf(this.session.geometry, target.geometry, target.index);
    viewport.setViewState({
      slice: { kind: "volumePoint", sliceWorldPoint: point },
      anchorWorld: point,
      anchorCanvas: [0.5, 0.5],
      scale: (this.#fit.get(target.plane) ?? 1) / (target.geometry.height / 2 / target.geometry.scale),
    });
    viewport.render();
    return true;
  }

  resize(target: Target): void {
    this.#engine.resize(true, false);
    const viewport = this.#viewport(target.plane);
    // Cornerstone's scale counts from "fits the pane": learn what that is in mm, then speak in mm.
    viewport.setViewState({ scale: 1, anchorCanvas: [0.5, 0.5] });
    this.#fit.set(target.plane, viewport.getResolvedView().toICamera().parallelScale ?? 1);
  }

  #arrived(): void {
    window.clearTimeout(this.#refresh);
    this.#refresh = window.setTimeout(() => {
      const volume = cache.getVolume(VOLUME);
      const version = this.session.volume.value?.version ?? 0;
      if (!volume || version === this.#shownVersion) return;
      this.#shownVersion = version;
      volume.invalidate();
      triggerEvent(eventTarget, Enums.Events.IMAGE_VOLUME_MODIFIED, { volumeId: VOLUME, imageVolume: volume });
      this.redraw();
    }, REFRESH_MS);
  }

  close(): void {
    this.#stop();
    this.#canvas.close();
    window.clearTimeout(this.#refresh);
    this.#engine.destroy();
    displaySets.remove(VOLUME);
    cache.purgeCache();
  }
}

/** Unit vector of a grid axis in LPS. */
function axisOf(lps: Matrix, axis: AxisIndex): Vector {
  const column = perAxis((row) => lps[row][axis]);
  const length = Math.hypot(...column);
  return perAxis((row) => column[row] / length);
}

function directions(pane: PaneGeometry, geometry: GridGeometry): { up: Vector; towards: Vector } {
  const { layout } = pane;
  const turned = (axis: AxisIndex, flip: boolean): Vector => {
    const along = axisOf(geometry.lpsFromIjk, axis);
    return flip ? [-along[0], -along[1], -along[2]] : along;
  };
  const right = turned(layout.right, layout.flipRight);
  const up = turned(layout.down, !layout.flipDown);
  const towards: Vector = [
    right[1] * up[2] - right[2] * up[1],
    right[2] * up[0] - right[0] * up[2],
    right[0] * up[1] - right[1] * up[0],
  ];
  return { up, towards };
}

/**
 * LPS of the pane's middle on slice `index`. Continuous indices count from a voxel's corner, the affine from its
 * middle.
 */
function worldOf(geometry: GridGeometry, pane: PaneGeometry, index: number): Vector {
  return lpsOf(
    geometry,
    perAxis((axis) => (axis === pane.layout.across ? index : pane.centre[axis] - 0.5)),
  );
}

function metadataOf(session: ScanSession): Types.Metadata {
  const {
    shapeZyx: [, rows, columns],
    spacingMmZyx: [, sy, sx],
    lpsFromIjk: lps,
  } = session.geometry;
  return {
    BitsAllocated: 16,
    BitsStored: 16,
    SamplesPerPixel: 1,
    HighBit: 15,
    PhotometricInterpretation: "MONOCHROME2",
    PixelRepresentation: 1,
    Modality: session.index.modality,
    ImageOrientationPatient: [...axisOf(lps, 0), ...axisOf(lps, 1)],
    PixelSpacing: [sy, sx],
    FrameOfReferenceUID: session.index.scan,
    Columns: columns,
    Rows: rows,
    voiLut: [],
    VOILUTFunction: "LINEAR",
    SeriesInstanceUID: session.index.scan,
  };
}
