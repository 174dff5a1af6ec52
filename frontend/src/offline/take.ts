/** Taking a batch along: pages, scripts, volumes and masks into the browser's own storage, part by part, to be stopped and gone on with. */

import { Journal, journalOf, seedLine } from "../editor/journal";
import { MEDIA_TYPE } from "../editor/message";
import { call, fetchBytes } from "../viewer/api";
import { workingLayer, type Context } from "../viewer/context";
import { runsOf } from "../viewer/load/stream";
import type { VolumeIndex } from "../viewer/load/volume";
import { personVault } from "./keys";
import { cacheOf, OFFLINE_PAGE, WORKER } from "./places";
import { forgetBatch, keptBatch, keptBatches, noteBatch, wipe, type KeptBatch, type KeptScan } from "./registry";

export interface Plan {
  readonly scans: readonly Pick<KeptScan, "assignment" | "code" | "view" | "bytes">[];
  readonly bytes: number;
  readonly days: number;
}

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

export const planFor = (batch: string): Promise<Plan> => call<Plan>("GET", `/api/v1/batches/${batch}/offline`);

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
  await navigator.storage?.persist?.().catch(() => false);
  const { until, scans } = await call<{ until: string; scans: Plan["scans"] }>(
    "POST",
    `/api/v1/batches/${batch.id}/offline`,
    { days },
  );
  const known = new Map(before?.scans.map((scan) => [scan.assignment, scan]));
  let kept: KeptBatch = {
    ...batch,
    until,
    scans: scans.map((scan) => ({ ...scan, parts: [], done: false, ...known.get(scan.assignment) })),
  };
  noteBatch(user, kept);
  const store = await caches.open(cacheOf(user));
  const { files } = await call<{ files: string[] }>("GET", "/offline/files");
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
  const page = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Offline · Voxloop</title>
<body style="font:15px/1.5 system-ui;max-width:32em;margin:15vh auto;padding:0 16px"><h1 style="font-size:20px">This page was not taken along</h1>
<p>There is no connection to the server. <a href="/worklist/">My work</a> shows the scans that are in this browser.</p></body></html>`;
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
  const context = JSON.parse(
    new DOMParser().parseFromString(page, "text/html").getElementById("context")?.textContent ?? "{}",
  ) as Context;
  const layer = workingLayer(context);
  const own = context.masks[layer.name].url;
  const index = (await (await keep(store, context.scan.volume, signal, true)).json()) as VolumeIndex;
  const beside = addressesIn(context).filter(
    (url) => url !== own && url !== context.answers.url && url !== context.scan.volume,
  );
  for (const url of beside) await keep(store, url, signal, false, url.includes("/mask") ? { Accept: MEDIA_TYPE } : {});
  for (const part of [index.preview, index.limit]) if (part) await keep(store, part.url, signal);
  parts.push(context.scan.volume, ...beside, index.preview.url, ...(index.limit ? [index.limit.url] : []));
  let bytes = index.preview.bytes + (index.limit?.bytes ?? 0);
  for (const run of runsOf(index.pack.slices)) {
    // One entry a run under the address that the viewer asks for: a stopped load goes on with the next one.
    const url = `${index.pack.url}${index.pack.url.includes("?") ? "&" : "?"}run=${run.z0}`;
    parts.push(url);
    if (!(await store.match(url))) {
      const got = await fetchBytes(url, {
        signal,
        headers: { Range: `bytes=${run.offset}-${run.offset + run.bytes - 1}` },
      });
      const slices = got.length === index.pack.bytes ? got.slice(run.offset, run.offset + run.bytes) : got;
      await store.put(
        url,
        new Response(slices as Uint8Array<ArrayBuffer>, { headers: { "Content-Type": "application/octet-stream" } }),
      );
    }
    bytes += run.bytes;
    tell(Math.min(bytes, scan.bytes));
  }
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
