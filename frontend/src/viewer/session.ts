/** One opened scan: its voxels, its mask, what is selected and shown. Everything on the page reads these signals. */

import { batch, computed, signal } from "@preact/signals";
import { EditorClient } from "../editor/client";
import { mlOfVoxel } from "../editor/geometry";
import type { Beside, EditorEvents, HistoryState, Ijk, Lesion, Plane, SaveState, Stats, Stroke } from "../editor/types";
import { Anatomy } from "./anatomy";
import { personKey } from "../offline/keys";
import { call, csrfHeaders, fetchBytes } from "./api";
import { fetchKept } from "./load/shelf";
import { Clicks } from "./clicking";
import { workingLayer, type Context, type Segment } from "./context";
import { Decoder } from "./load/decoder";
import { prefetchNext } from "./load/prefetch";
import { firstImages } from "./load/pace";
import { SliceStream } from "./load/stream";
import { fillVolume, sketchVolume } from "./load/preview";
import { isShared, offsetOf, roomFor, type Volume, type VolumeIndex } from "./load/volume";
import type { GridGeometry } from "./image/geometry";
import { frontOf, scoutOf, type Scout } from "./image/scout";
import { PRESETS, firstWindow, type Window } from "./image/window";
import { MaskMirror } from "./mirror";
import { t } from "./language";

export type Phase = "opening" | "preview" | "complete" | "failed";
export type OverlayMode = "off" | "outline" | "difference";

/** Media type of the mask message (docs/formats.md). */
export const MASK_TYPE = "application/vnd.voxloop.mask";

export const PLANES: readonly Plane[] = ["axial", "sagittal", "coronal"];

export interface StrokeLine {
  readonly id: string;
  readonly tool: string;
  readonly segment: number;
  readonly params: Stroke["params"];
  readonly added: number;
  readonly removed: number;
  readonly at: string;
}

export class Session {
  readonly layer;
  readonly segments: readonly Segment[];
  readonly colours = new Map<number, string>();
  readonly anatomy: Anatomy;
  editor!: EditorClient;
  index!: VolumeIndex;
  geometry!: GridGeometry;
  mirror!: MaskMirror;
  /** The patient from the front, once the preview is there; an X-ray has none. */
  scout: Scout | null = null;

  readonly phase = signal<Phase>("opening");
  readonly failure = signal("");
  readonly volume = signal<Volume | null>(null);
  readonly fullSlices = signal(0);
  /** Every slice holds voxels, of the preview or in full. */
  readonly filled = signal(false);
  readonly trouble = signal<string | null>(null);
  /** Slices that are damaged, also when asked for again: they are shown as missing, and the scan cannot be handed in. */
  readonly lostSlices = signal<readonly number[]>([]);
  readonly nextLoaded = signal(0);
  readonly save = signal<SaveState>({ kind: "saved", revision: "empty", at: null });
  readonly stats = signal<Stats>({ segments: [], erasedVoxels: 0 });
  readonly history = signal<HistoryState>({ undo: null, redo: null, undoDepth: 0, redoDepth: 0 });
  readonly strokes = signal<readonly StrokeLine[]>([]);
  readonly lesions = signal<readonly Lesion[]>([]);
  /** Name of the chosen tool (`tools/index.ts`). */
  readonly tool = signal("select");
  readonly segment = signal(1);
  readonly hidden = signal<ReadonlySet<number>>(new Set());
  readonly locked = signal<ReadonlySet<number>>(new Set());
  readonly maskShown = signal(true);
  /** Overlays that are shown as dashed outlines, by key. */
  readonly overlaysShown = signal<ReadonlySet<string>>(new Set());
  /** The overlay the mask is compared with, or null. */
  readonly difference = signal<string | null>(null);
  /** Overlays whose disagreement with the mask and each other is shown; empty: none. */
  readonly heat = signal<readonly string[]>([]);
  readonly overlaysLoaded = signal<ReadonlySet<string>>(new Set());
  readonly window = signal<Window>(PRESETS[0]);
  /** Where the crosshair stands (voxel). */
  readonly cross = signal<Ijk>([0, 0, 0]);
  readonly activePlane = signal<Plane>("axial");
  readonly frameMs = signal(0);
  /** Milliseconds from the start of the page to the first drawn three planes, and to full resolution. */
  readonly times: { usable: number | null; complete: number | null } = { usable: null, complete: null };
  readonly editable = computed(() => this.context.can.edit && this.save.value.kind !== "read-only");

  #stream: SliceStream | null = null;
  readonly #decoder = new Decoder();
  readonly #leaving = new AbortController();
  #lesionTimer = 0;
  #fill: () => Promise<void> = () => Promise.resolve();
  #filling: Promise<void> | null = null;

  readonly clicks: Clicks;

  constructor(readonly context: Context) {
    this.layer = workingLayer(context);
    this.segments = this.layer.segments;
    this.anatomy = new Anatomy(context, this.layer);
    for (const segment of this.segments) this.colours.set(segment.id, segment.colour);
    this.segment.value = this.segments[0]?.id ?? 1;
    if (context.can.edit) this.tool.value = "grow";
    this.clicks = new Clicks(this);
  }

  /** What is marked lies in the lungs. */
  get isInLungs(): boolean {
    return this.layer.limit === "lungs";
  }

  /** Preview, mask and limit side by side; then the slices. Resolves when all is there; never rejects. */
  async open(): Promise<void> {
    try {
      this.index = this.context.scan.index ?? (await call<VolumeIndex>("GET", this.context.scan.volume));
      const { shape_zyx: shape, spacing_mm_zyx: spacing, lps_from_ijk: lps, preview } = this.index;
      const limit = this.isInLungs ? this.index.limit : null;
      const { level, width } = firstWindow(this.index, this.isInLungs);
      this.window.value = { level, width };
      this.geometry = { shapeZyx: shape, spacingMmZyx: spacing, lpsFromIjk: lps };
      this.cross.value = [shape[2] >> 1, shape[1] >> 1, shape[0] >> 1];
      const room = roomFor(this.index);
      const sketched = fetchKept(preview.url).then((bytes) => sketchVolume(this.index, bytes, this.#decoder, room));
      const limitBytes = limit ? fetchKept(limit.url) : null;
      sketched.catch(() => undefined); // told below
      this.editor = await EditorClient.create({
        volume: {
          shapeZyx: shape,
          spacingMmZyx: spacing,
          offset: offsetOf(this.index),
          backgroundHu: limit?.background_hu ?? null,
        },
        user: this.context.user,
        key: personKey(),
        scan: this.context.scan.code,
        lpsFromIjk: lps,
        assignment: this.context.id,
        layer: this.layer.name,
        maskUrl: this.context.masks[this.layer.name].url,
        headers: csrfHeaders(),
        editable: this.context.can.edit,
        voxels: isShared(room) ? room : undefined,
      });
      this.mirror = new MaskMirror(this.editor, shape);
      this.#listen();
      const opening = this.editor.open();
      this.#showPreview(await sketched);
      const opened = await opening;
      batch(() => {
        this.history.value = opened.history;
        this.stats.value = opened.stats;
        this.save.value = opened.save;
      });
      this.restored.value = opened.restored;
      await firstImages(this.times);
      this.maskReady.value = true;
      this.#countLesions();
      await Promise.all([
        this.#loadLimit(limitBytes).then(() => this.#loadAnatomy()),
        this.#loadOverlays(),
        this.#loadProbability(),
        this.#loadSlices(),
      ]);
      this.times.complete = performance.now();
      this.phase.value = "complete";
      this.#decoder.close();
      this.#countLesions();
      await prefetchNext(
        this.context.next,
        (share) => {
          this.nextLoaded.value = share;
        },
        this.#leaving.signal,
      );
    } catch (error) {
      this.failure.value = error instanceof Error ? error.message : String(error);
      this.phase.value = "failed";
    }
  }

  readonly restored = signal(0);
  /** The lung limit has come. */
  readonly limitShown = signal(false);
  readonly maskReady = signal(false);

  #listen(): void {
    this.editor.on("stats", (stats) => {
      this.stats.value = stats;
    });
    this.editor.on("history", (history) => {
      this.#noteStroke(history);
      this.history.value = history;
    });
    this.editor.on("save-state", (state) => {
      this.save.value = state;
    });
    this.editor.on("changed", ({ box }) => {
      this.mirror.touch(box.z0, box.z1);
      this.#countLesions();
      this.anatomy.changed();
    });
    this.editor.on("error", ({ message }) => {
      this.notice.value = { text: message, tone: "bad" };
    });
    this.editor.on("keeping", (keeping) => {
      this.keeping.value = keeping;
    });
    this.editor.on("merged", ({ theirVoxels }) => {
      this.notice.value = {
        text: t("Another reader's save was merged ({n} voxels). One undo takes it back.", { n: theirVoxels }),
        tone: "warn",
      };
      this.mirror.touchAll();
    });
  }

  /** Whether this browser keeps the strokes. */
  readonly keeping = signal<EditorEvents["keeping"]>({ kind: "journal", why: "" });

  /** Makes this tab the one that draws. */
  async takeOver(): Promise<void> {
    const opened = await this.editor.takeOver();
    this.restored.value = opened.restored;
    this.mirror.touchAll();
  }

  /** An operation that is under way, in words; brushes wait for it. */
  readonly working = signal<string | null>(null);
  readonly notice = signal<{ text: string; tone: "info" | "warn" | "bad" } | null>(null);

  #showPreview({ volume, preview }: Awaited<ReturnType<typeof sketchVolume>>): void {
    const {
      preview: { shape_zyx: blocks },
      shape_zyx: shape,
    } = this.index;
    if (shape[0] > 1) this.scout = scoutOf(preview.voxels, blocks, frontOf(this.geometry));
    batch(() => {
      this.volume.value = volume;
      this.phase.value = "preview";
    });
    void this.editor.putPreview(preview.voxels.slice(), preview.from, preview.step, preview.huLo, preview.huStep);
    this.#fill = () => fillVolume(volume, preview, this.#decoder);
  }

  /** Let every slice hold voxels, those of the preview at least: whoever reads the volume as a whole asks for it. */
  fill(): Promise<void> {
    return (this.#filling ??= this.#fill().then(() => {
      this.filled.value = true;
    }));
  }

  async #loadLimit(coming: Promise<Uint8Array> | null): Promise<void> {
    if (!coming) return;
    const message = await coming;
    await this.editor.putOverlay("limit", message.slice());
    await this.editor.putLimit(message);
    this.mirror.hasLimit = true;
    this.limitShown.value = true;
    this.mirror.touchAll();
  }

  async #loadAnatomy(): Promise<void> {
    const failed = await this.anatomy.load(this.editor, (url) => fetchBytes(url, { headers: { Accept: MASK_TYPE } }));
    if (failed.length)
      this.notice.value = { text: t("{title} could not be loaded.", { title: failed.join(", ") }), tone: "warn" };
  }

  async #loadOverlays(): Promise<void> {
    for (const overlay of this.context.overlays) {
      if (overlay.layer !== this.layer.name) continue;
      try {
        await this.editor.putOverlay(overlay.key, await fetchBytes(overlay.url, { headers: { Accept: MASK_TYPE } }));
        this.overlaysLoaded.value = new Set([...this.overlaysLoaded.value, overlay.key]);
        if (overlay.key === "prediction" || !this.mirror.compareWith) this.mirror.compareWith = overlay.key;
      } catch {
        this.notice.value = { text: t("{title} could not be loaded.", { title: overlay.title }), tone: "warn" };
      }
    }
    this.mirror.touchAll();
  }

  async #loadProbability(): Promise<void> {
    if (!this.context.can.edit) return;
    try {
      await this.clicks.load();
    } catch {
      this.notice.value = {
        text: t("The model's probability could not be loaded: click to segment works from the image alone."),
        tone: "warn",
      };
    }
  }

  async #loadSlices(): Promise<void> {
    const volume = this.volume.value;
    if (!volume) return;
    this.#stream = new SliceStream(
      this.index,
      this.#decoder,
      (z0, hu) => {
        volume.put(z0, hu);
        this.fullSlices.value = volume.fullCount;
        void this.editor.putSlices(z0, hu as Int16Array<ArrayBuffer>);
      },
      (why) => {
        this.trouble.value = why;
      },
      (z) => {
        volume.lose(z);
        this.lostSlices.value = [...new Set([...this.lostSlices.value, z])].sort((a, b) => a - b);
        this.fullSlices.value = volume.fullCount;
      },
    );
    this.#stream.focus = this.cross.value[2];
    await this.#stream.start();
    if (volume.fullCount + volume.lostCount < volume.full.length)
      throw new Error(this.trouble.value ?? t("Some slices could not be loaded."));
  }

  #noteStroke(now: HistoryState): void {
    const line = (stroke: Stroke): StrokeLine => ({
      id: stroke.id,
      tool: stroke.tool,
      segment: stroke.segment,
      params: stroke.params,
      added: stroke.added,
      removed: stroke.removed,
      at: stroke.at,
    });
    const before = this.history.value;
    const known = this.strokes.value.filter((s) => s.id !== now.redo?.id);
    // A full stack of undos no longer grows: the newest stroke then pushes the oldest out.
    const isNew =
      now.undoDepth > before.undoDepth || (now.undoDepth === before.undoDepth && now.undo?.id !== before.undo?.id);
    if (now.undo && isNew && known[0]?.id !== now.undo.id)
      this.strokes.value = [line(now.undo), ...known].slice(0, 200);
    else this.strokes.value = known;
  }

  #countLesions(): void {
    window.clearTimeout(this.#lesionTimer);
    this.#lesionTimer = window.setTimeout(() => {
      void this.editor
        .lesions(this.#beside)
        .then((found) => {
          this.lesions.value = found;
        })
        .catch(() => undefined);
    }, 250);
  }

  /** What the list of lesions is told beside: the pre-annotation, and lobes (or lungs) where there are any. */
  get #beside(): Beside {
    const { loaded, layers } = this.anatomy;
    return {
      model: this.overlaysLoaded.value.has("prediction") ? "prediction" : null,
      anatomy: layers.find(({ key }) => loaded.value.has(key))?.key ?? null,
    };
  }

  /** Put the crosshair on a voxel; the panes follow. */
  goTo(ijk: readonly number[]): void {
    const [depth, rows, columns] = this.geometry.shapeZyx;
    const clamp = (v: number, n: number) => Math.min(Math.max(Math.round(v), 0), n - 1);
    const to: Ijk = [clamp(ijk[0], columns), clamp(ijk[1], rows), clamp(ijk[2], depth)];
    if (this.#stream) this.#stream.focus = to[2];
    const from = this.cross.value;
    if (to.some((v, n) => v !== from[n])) this.cross.value = to;
  }

  /** mL of a segment; 0 when nothing is marked. */
  mlOf(segment: number): number {
    return this.stats.value.segments.find((s) => s.segment === segment)?.ml ?? 0;
  }

  get voxelMl(): number {
    return mlOfVoxel(this.geometry.shapeZyx, this.geometry.spacingMmZyx);
  }

  /** An X-ray has areas, not volumes, and no HU. */
  get unit(): "mL" | "cm²" {
    return this.context.scan.shape_zyx[0] === 1 ? "cm²" : "mL";
  }
  get valueUnit(): string {
    return this.context.scan.modality === "CT" ? " HU" : "";
  }

  segmentName(id: number): string {
    return this.segments.find((s) => s.id === id)?.name ?? t("Segment {id}", { id });
  }

  close(): void {
    this.#leaving.abort();
    this.#stream?.stop();
    this.#decoder.close();
    void this.editor?.close();
  }
}

/** A set with one member switched. */
export function toggled<T>(set: ReadonlySet<T>, member: T): ReadonlySet<T> {
  const next = new Set(set);
  if (!next.delete(member)) next.add(member);
  return next;
}
