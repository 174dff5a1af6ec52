/**
 * The service worker: without a network it answers with what was taken along, nothing else. It is installed only while
 * a batch is kept in this browser. Masks of the layer under work never pass through it: they live in the journal.
 */

declare const self: ServiceWorkerGlobalScope;

// As in `ground/caches.ts`: this script is served from the root and can import nothing from beside it.
const CACHE = "voxloop-offline:",
  OFFLINE_PAGE = "/offline/";

/** A line that gives no first byte for this long is as good as none, when there is a copy. */
const PATIENCE_MS = 6000;
/** Named by their content: the copy is as good as the server's. */
const IMMUTABLE = /^\/static\/viewer\/assets\/|^\/api\/v1\/scans\/[0-9a-f-]+\/volume\/(pack|preview|limit)$/;

self.addEventListener("install", () => void self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  // What came damaged is asked for past every copy.
  if (IMMUTABLE.test(url.pathname) && request.cache === "reload") return;
  if (IMMUTABLE.test(url.pathname)) event.respondWith(kept(url).then((found) => found?.copy ?? fetch(request)));
  else if (request.mode === "navigate") event.respondWith(newest(request, url).catch(nowhere));
  else if (url.pathname.startsWith("/api/v1/")) event.respondWith(newest(request, url));
});

async function kept(url: URL): Promise<{ store: Cache; copy: Response } | undefined> {
  for (const name of await caches.keys()) {
    if (!name.startsWith(CACHE)) continue;
    const store = await caches.open(name);
    const copy = await store.match(url.href, { ignoreVary: true, ignoreSearch: url.pathname === "/worklist/" });
    if (copy) return { store, copy };
  }
  return undefined;
}

/**
 * The server's answer, kept instead of the older copy; the copy where the server is not there. Rejects as `fetch` does
 * without either.
 */
async function newest(request: Request, url: URL): Promise<Response> {
  const found = await kept(url);
  if (!found) return fetch(request);
  const { store, copy } = found;
  const tooLate = new Promise<null>((resolve) => setTimeout(resolve, PATIENCE_MS, null));
  try {
    const answer = await Promise.race([fetch(request), tooLate]);
    if (!answer || answer.status >= 502) return copy;
    if (answer.status === 200 && !answer.redirected && !url.search) await store.put(url.href, answer.clone());
    return answer;
  } catch {
    return copy;
  }
}

/** A page that was not taken along. */
async function nowhere(): Promise<Response> {
  return (await kept(new URL(OFFLINE_PAGE, self.location.origin)))?.copy ?? Response.error();
}

export {};
