/** Memory that goes from one thread to another, or is let go. */

/**
 * The memory of all arrays in an answer, however deep they lie: handed over, it is neither copied nor left behind. What
 * the editor answers is made for the answer.
 */
export function buffersIn(answer: unknown): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  const collect = (value: unknown): void => {
    if (ArrayBuffer.isView(value)) buffers.add(value.buffer as ArrayBuffer);
    else if (value && typeof value === "object") Object.values(value).forEach(collect);
  };
  collect(answer);
  return [...buffers];
}

/** Nobody listens at its other end. */
let nowhere: MessagePort | null = null;

/**
 * Lets memory go now, not when the collector comes round to it: the array is empty afterwards. It is sent where nobody
 * is, because the browser keeps what came in a message, or was handed to it, beside the script's own reference: when
 * that one ends (`transfer`), the memory stays.
 */
export function letGo(array: Uint8Array | Int16Array): void {
  if (!nowhere) {
    const { port1, port2 } = new MessageChannel();
    port2.close();
    nowhere = port1;
  }
  nowhere.postMessage(null, [array.buffer as ArrayBuffer]);
}
