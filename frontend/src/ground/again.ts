/** What did not come because the line was gone is asked for again when the line is back. */

const FIRST_MS = 1000;
const LONGEST_MS = 15_000;

/** Resolves when the browser says that it is online again, or after so many milliseconds: it does not always say it. */
export function lineBack(mostMs = LONGEST_MS): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      removeEventListener("online", end);
      resolve();
    };
    const timer = setTimeout(end, mostMs);
    addEventListener("online", end);
  });
}

/** Whether it failed for the network, or a server that cannot just now (`Away` is a `TypeError`, too). */
export const isLineGone = (error: unknown): boolean => error instanceof TypeError;

/**
 * Asks until an answer comes, as long as it fails for the line. Rejects as `ask` does for every other reason, and once
 * `signal` is aborted.
 */
export async function askAgain<T>(ask: () => Promise<T>, signal: AbortSignal, firstMs = FIRST_MS): Promise<T> {
  for (let pause = firstMs; ; pause = Math.min(2 * pause, LONGEST_MS)) {
    try {
      return await ask();
    } catch (error) {
      if (!isLineGone(error)) throw error;
    }
    await lineBack(pause);
    signal.throwIfAborted();
  }
}

/** The same for what has just failed for the line: the next try is when the line is back. */
export async function askLater<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  await lineBack(FIRST_MS);
  signal.throwIfAborted();
  return askAgain(ask, signal);
}
