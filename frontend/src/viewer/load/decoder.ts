/** Two decode workers behind promises; arrays are transferred, never copied. */

import type { DecodeReply, DecodeRequest } from "./decode.worker";

type Ask = DecodeRequest extends infer R ? R extends { id: number } ? Omit<R, "id"> : never : never;
type Done = Extract<DecodeReply, { hu: Int16Array }>;

export class Decoder {
  readonly #workers: Worker[] = [];
  readonly #waiting = new Map<number, { resolve: (reply: Done) => void; reject: (why: Error) => void }>();
  #next = 0;

  constructor(lanes = Math.min(2, navigator.hardwareConcurrency || 1)) {
    for (let n = 0; n < lanes; n++) {
      const worker = new Worker(new URL("./decode.worker.ts", import.meta.url), { type: "module", name: `decode-${n}` });
      worker.onmessage = ({ data }: MessageEvent<DecodeReply>) => {
        const waiting = this.#waiting.get(data.id);
        this.#waiting.delete(data.id);
        if ("error" in data) waiting?.reject(new Error(data.error));
        else waiting?.resolve(data);
      };
      worker.onerror = (event) => {
        for (const { reject } of this.#waiting.values()) reject(new Error(event.message || "A decoder could not start."));
        this.#waiting.clear();
      };
      this.#workers.push(worker);
    }
  }

  run(ask: Ask): Promise<Done> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#workers[id % this.#workers.length].postMessage({ ...ask, id }, [ask.bytes.buffer as ArrayBuffer]);
    });
  }

  close(): void {
    for (const worker of this.#workers) worker.terminate();
  }
}
