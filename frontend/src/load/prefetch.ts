/** While one scan is edited, the next one of the batch is fetched into the browser's cache. */

import { letGo } from "../editor/handover";
import { call } from "../ground/api";
import * as shape from "../ground/shapes";
import { fetchKept } from "./shelf";
import { fetchRun, runsOf } from "./stream";

/** Only annotation work: the address of the next review claims it, and looking ahead must not. */
const VIEW = /^\/view\/([0-9a-f-]{36})\/$/;

/** Fetch index, preview, lung limit and slices of the next scan; `tell` hears a share of 0 … 1. Never throws. */
export async function prefetchNext(
  next: string | null,
  tell: (share: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const id = next && VIEW.exec(next)?.[1];
  if (!id) return;
  try {
    const context = await call("GET", `/api/v1/assignments/${id}/`, undefined, shape.Context);
    const index = context.scan.index ?? (await call("GET", context.scan.volume, undefined, shape.VolumeIndex));
    await fetchKept(index.preview.url, { priority: "low", signal });
    if (index.limit) await fetchKept(index.limit.url, { priority: "low", signal });
    let done = 0;
    for (const run of runsOf(index.pack.slices)) {
      if (signal.aborted) return;
      letGo(await fetchRun(index, run, "low"));
      done += run.bytes;
      tell(done / index.pack.bytes);
    }
  } catch {
    // Looking ahead is a courtesy; the next page loads what is missing.
  }
}
