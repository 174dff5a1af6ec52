/** The editor as the page sees it: every call of `Calls` as a promise, and the worker's events. */

import { type Asked, type CallName, type Calls, HANDED_OVER, type Reply, type Request } from "./calls";
import type { EditorEvents, EditorOptions } from "./types";

type Listener<K extends keyof EditorEvents> = (detail: EditorEvents[K]) => void;

/** Calls go to the worker in order; `beginStroke` and `dab` need not be awaited before the next call. */
export type EditorClient = Omit<Asked, "create"> & Pick<Connection, "on">;

/** Starts the worker for one layer of one assignment. Call `open()` next; slices may come before or after. */
export async function openEditor(options: EditorOptions): Promise<EditorClient> {
  const worker = new Worker(new URL("./editor.worker.ts", import.meta.url), { type: "module", name: "editor" });
  const connection = new Connection(worker);
  const calls = Object.fromEntries(
    Object.keys(HANDED_OVER).map((name) => [
      name,
      (...args: readonly unknown[]) => connection.call(name as CallName, args),
    ]),
  ) as unknown as Asked;
  await calls.create(options);
  // Ask the browser not to evict the journal when its disk runs full; it works without a yes, too.
  void navigator.storage?.persist?.().catch(() => false);
  return {
    ...calls,
    on: connection.on.bind(connection),
    close: async () => {
      await calls.close();
      worker.terminate();
    },
  };
}

class Connection {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (why: Error) => void }>();
  readonly #listeners = new Map<keyof EditorEvents, Set<Listener<never>>>();
  #next = 1;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = (message: MessageEvent<Reply>) => this.#receive(message.data);
    worker.onerror = (event) => {
      if (event.message) this.#emit("error", { message: event.message });
      else this.#fail(new Error("The editor could not start: its script was not loaded. Reload the page."));
    };
  }

  call<K extends CallName>(call: K, args: readonly unknown[]): Promise<Awaited<ReturnType<Calls[K]>>> {
    const id = this.#next++;
    const over = HANDED_OVER[call];
    const transfer = over === null ? [] : [(args[over] as ArrayBufferView).buffer as ArrayBuffer];
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#worker.postMessage({ id, call, args } satisfies Request, transfer);
    });
  }

  on<K extends keyof EditorEvents>(event: K, listener: Listener<K>): () => void {
    const set = this.#listeners.get(event) ?? new Set<Listener<never>>();
    this.#listeners.set(event, set.add(listener));
    return () => set.delete(listener);
  }

  #receive(reply: Reply): void {
    if ("event" in reply) {
      this.#emit(reply.event, reply.detail as never);
      return;
    }
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ("error" in reply) waiting?.reject(new Error(reply.error));
    else waiting?.resolve(reply.value);
  }

  #fail(why: Error): void {
    for (const { reject } of this.#waiting.values()) reject(why);
    this.#waiting.clear();
  }

  #emit<K extends keyof EditorEvents>(event: K, detail: EditorEvents[K]): void {
    for (const listener of this.#listeners.get(event) ?? []) (listener as Listener<K>)(detail);
  }
}
