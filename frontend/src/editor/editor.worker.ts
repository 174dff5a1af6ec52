/** The worker around `EditorSession`: calls in, answers and events out; arrays travel without a copy. */

import type { Calls, Reply, Request } from "./calls";
import { buffersIn } from "./handover";
import { EditorSession } from "./session";
import { browserSurroundings } from "./surroundings";
import { warmUp } from "./warmup";

declare const self: DedicatedWorkerGlobalScope;

const session = new EditorSession(browserSurroundings((event, detail) => post({ event, detail })));

/** When the images stand: on a small machine warming up would take the processor that they need. */
const WARM_UP_AFTER_MS = 1500;

self.onmessage = (message: MessageEvent<Request>) => void answer(message.data);
self.addEventListener("online", () => void session.resume(null));

async function answer({ id, call, args }: Request): Promise<void> {
  try {
    const value = (await (session[call] as (...given: unknown[]) => unknown).apply(session, [...args])) as Awaited<
      ReturnType<Calls[typeof call]>
    >;
    post({ id, value });
    if (call === "open") setTimeout(warmUp, WARM_UP_AFTER_MS);
  } catch (error) {
    post({ id, error: error instanceof Error ? error.message : String(error) });
  }
}

function post(reply: Reply): void {
  const payload = "event" in reply ? reply.detail : "value" in reply ? reply.value : null;
  self.postMessage(reply, buffersIn(payload));
}
