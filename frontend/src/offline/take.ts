/**
 * Taking a batch along: pages, scripts, volumes and masks into the browser's own storage, part by part, to be stopped
 * and gone on with.
 */

import { Journal, journalOf, seedLine } from "../editor/journal";
import { MEDIA_TYPE } from "../editor/message";
import { call, checked, fetchBytes, valueOf } from "../ground/api";
import type { Shape } from "../ground/check";
import { maskOf, readContext, workingLayer } from "../ground/context";
import type { OfflinePlan } from "../ground/contract";
import * as shape from "../ground/shapes";
import { runsOf } from "../load/stream";
import { personVault } from "./vault";
import { cacheOf, OFFLINE_PAGE, WORKER } from "../ground/caches";
import { forgetBatch, keptBatch, keptBatches, noteBatch, wipe, type KeptBatch, type KeptScan } from "./registry";

/** What every page needs: it is no part of the contract, because nothing but this page asks for it. */
const FILES: Shape<{ readonly files: readonly string[] }> = "files:[s";

export interface Progress {
  readonly bytes: number;
  readonly total: number;
  readonly code: string;
}

/** The browser has not the room; nothing was begun. Sizes in bytes. */
export class NoRoom extends Error {
  constructor(
    readonly needed: number,
    readonly free: number,
  ) {
    super("no room");
  }
}

/** Bytes that this browser still lets us keep; null where it does not say. */
export async function freeBytes(): Promise<number | null> {
  const { quota, usage } = (await navigator.storage?.estimate?.()) ?? {};
  return quota === undefined || usage === undefined ? null : Math.max(0, quota - usage);
}

/** Whether this browser can work without a network at all: it needs https (or this very machine). */
export const canWorkOffline = (): boolean => "serviceWorker" in navigator && "caches" in globalThis && isSecureContext;

export const planFor = (batch: string): Promise<OfflinePlan> =>
  call("GET", `/api/v1/batches/${batch}/offline`, undefined, shape.OfflinePlan);

/**
 * Takes along what the person has in the batch. What is there already is not fetched again, so that a stopped one goes
 * on where it was. Throws `NoRoom`, `Problem`, `TypeError` (network), `AbortError` (stopped).
 */
export async function takeBatch(
  user: string,
  batch: { id: string; name: string },
  days: number,
  tell: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<KeptBatch> {
  const before = keptBatch(user, batch.id);
  const planned = await planFor(batch.id);
  const had = before?.scans.filter((scan) => scan.done).reduce((sum, scan) => sum + scan.bytes, 0) ?? 0;
  const free = await freeBytes();
  if (free !== null && free < (planned.bytes - had) * 1.1) throw new NoRoom(planned.bytes - had, free);
  // Firefox asks the person, who may never answer: nothing waits for that.
  void navigator.storage?.persist?.().catch(() => false);
  const { until, scans } = await call("POST", `/api/v1/batches/${batch.id}/offline`, { days }, shape.OfflineLoad);
  const known = new Map(before?.scans.map((scan) => [scan.assignment, scan]));
  let kept: KeptBatch = {
    ...batch,
    until,
    scans: scans.map((scan) => ({ ...scan, parts: [], done: false, ...known.get(scan.assignment) })),
  };
  noteBatch(user, kept);
  const store = await caches.open(cacheOf(user));
  const { files } = await call("GET", "/offline/files", undefined, FILES);
  for (const file of files) await keep(store, file, signal);
  await keepOfflinePage(store);
  let bytes = 0;
  for (const scan of kept.scans) {
    signal.throwIfAborted();
    const start = bytes;
    const parts = await takeScan(
      user,
      store,
      scan,
      (n) => tell({ bytes: start + n, total: planned.bytes, code: scan.code }),
      signal,
    );
    bytes += scan.bytes;
    kept = {
      ...kept,
      scans: kept.scans.map((one) => (one.assignment === scan.assignment ? { ...one, parts, done: true } : one)),
    };
    noteBatch(user, kept);
  }
  // Last: the list shows what is here, and the worker begins to answer once everything is.
  await keep(store, "/worklist/", signal, true);
  await navigator.serviceWorker.register(WORKER, { scope: "/" });
  await navigator.serviceWorker.ready;
  return kept;
}

async function keep(
  store: Cache,
  url: string,
  signal: AbortSignal,
  anew = false,
  headers: Record<string, string> = {},
): Promise<Response> {
  const known = anew ? undefined : await store.match(url, { ignoreVary: true });
  if (known) return known;
  const answer = await fetch(url, { signal, headers });
  if (!answer.ok || answer.redirected) throw new TypeError(`${url} answered ${answer.status}`);
  await store.put(url, answer.clone());
  return answer;
}

async function keepOfflinePage(store: Cache): Promise<void> {
  const page = `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Offline · Voxloop</title>
<body style="font:15px/1.5 system-ui;max-width:32em;margin:15vh auto;padding:0 16px">
<h1 style="font-size:20px">This page was not taken along</h1>
<p>There is no connection to the server. <a href="/worklist/">My work</a> shows the scans that are in this browser.</p>
</body></html>`;
  await store.put(OFFLINE_PAGE, new Response(page, { headers: { "Content-Type": "text/html; charset=utf-8" } }));
}

async function takeScan(
  user: string,
  store: Cache,
  scan: KeptScan,
  tell: (bytes: number) => void,
  signal: AbortSignal,
): Promise<string[]> {
  const parts: string[] = [scan.view];
  const page = await (await keep(store, scan.view, signal, true)).text();
  const context = readContext(new DOMParser().parseFromString(page, "text/html"));
  const layer = workingLayer(context);
  const own = maskOf(context, layer).url;
  const told = await (await keep(store, context.scan.volume, signal, true)).text();
  const index = checked(valueOf(told), shape.VolumeIndex, context.scan.volume);
  // What is only written to has nothing to be taken along.
  const others = new Set([own, context.answers.url, context.marks.url, context.scan.volume]);
  const beside = addressesIn(context).filter((url) => !others.has(url));
  for (const url of beside) await keep(store, url, signal, false, url.includes("/mask") ? { Accept: MEDIA_TYPE } : {});
  for (const part of [index.preview, index.limit]) if (part) await keep(store, part.url, signal);
  parts.push(context.scan.volume, ...beside, index.preview.url, ...(index.limit ? [index.limit.url] : []));
  const before = index.preview.bytes + (index.limit?.bytes ?? 0);
  parts.push(...(await keepRuns(store, index.pack, (bytes) => tell(Math.min(before + bytes, scan.bytes)), signal)));
  const mask = await fetch(own, { signal, cache: "no-store", headers: { Accept: MEDIA_TYPE } });
  if (!mask.ok) throw new TypeError(`${own} answered ${mask.status}`);
  const about = {
    assignment: context.id,
    layer: layer.name,
    scan: context.scan.code,
    maskUrl: own,
    shapeZyx: index.shape_zyx,
    spacingMmZyx: index.spacing_mm_zyx,
    lpsFromIjk: index.lps_from_ijk,
  };
  const revision = mask.headers.get("ETag")?.replaceAll('"', "").replace(/^W\//, "") ?? "empty";
  await seedLine(journalOf(user), about, revision, new Uint8Array(await mask.arrayBuffer()), await personVault());
  return parts;
}

/**
 * The voxels of a scan. One entry a run under the address that the viewer asks for: a stopped load goes on with the
 * next one. Answers the addresses.
 */
async function keepRuns(
  store: Cache,
  pack: { readonly url: string; readonly bytes: number; readonly slices: Parameters<typeof runsOf>[0] },
  tell: (bytes: number) => void,
  signal: AbortSignal,
): Promise<string[]> {
  const parts: string[] = [];
  let bytes = 0;
  for (const run of runsOf(pack.slices)) {
    const url = `${pack.url}${pack.url.includes("?") ? "&" : "?"}run=${run.z0}`;
    parts.push(url);
    if (!(await store.match(url))) {
      const got = await fetchBytes(url, {
        signal,
        headers: { Range: `bytes=${run.offset}-${run.offset + run.bytes - 1}` },
      });
      const slices = got.length === pack.bytes ? got.slice(run.offset, run.offset + run.bytes) : got;
      await store.put(
        url,
        new Response(slices as Uint8Array<ArrayBuffer>, { headers: { "Content-Type": "application/octet-stream" } }),
      );
    }
    bytes += run.bytes;
    tell(bytes);
  }
  return parts;
}

/** Every address of the API that a context names. */
function addressesIn(value: unknown): string[] {
  if (typeof value === "string") return value.startsWith("/api/v1/") ? [value] : [];
  if (value && typeof value === "object") return Object.values(value).flatMap(addressesIn);
  return [];
}

/** Removes a batch from this browser and, with a network, ends its lease. Unsent strokes stay. */
export async function removeBatch(user: string, id: string): Promise<void> {
  const batch = keptBatch(user, id);
  forgetBatch(user, id);
  if (keptBatches(user).length === 0) await wipe();
  else if (batch) {
    const store = await caches.open(cacheOf(user));
    for (const part of batch.scans.flatMap((scan) => scan.parts)) await store.delete(part, { ignoreVary: true });
  }
  const unsent = new Set(
    (await Journal.unsent(journalOf(user), await personVault())).map(({ state }) => state.about?.assignment),
  );
  if (!batch?.scans.some((scan) => unsent.has(scan.assignment)))
    await call("DELETE", `/api/v1/batches/${id}/offline`).catch(() => undefined);
}
