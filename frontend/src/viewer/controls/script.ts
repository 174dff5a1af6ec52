/** A part of the page whose script comes by itself, because nobody sees it at first. */

import { useEffect, useState } from "preact/hooks";

/** Between two tries of a script that did not come, where the browser does not say that it is online again. */
const AGAIN_MS = 5_000;

/** What `load` imports, once it is wanted; null until it is there. What does not come is asked for again. */
export function useScript<Script>(load: () => Promise<Script>, isWanted: boolean): Script | null {
  const [script, setScript] = useState<Script | null>(null);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    if (!isWanted || script) return undefined;
    let timer = 0;
    const again = () => setTries(tries + 1);
    loadAgain(load, tries).then(setScript, () => {
      timer = window.setTimeout(again, AGAIN_MS);
      addEventListener("online", again, { once: true });
    });
    return () => {
      clearTimeout(timer);
      removeEventListener("online", again);
    };
  }, [load, isWanted, script, tries]);
  return script;
}

/**
 * Browsers that keep to the letter of HTML remember that a module did not come, and never ask for it again under the
 * same address. So another try asks under an address with a number behind it, which is the same file.
 */
async function loadAgain<Script>(load: () => Promise<Script>, tries: number): Promise<Script> {
  try {
    return await load();
  } catch (error) {
    const [address] = /https?:\S+\.js/.exec(String(error)) ?? [];
    if (!tries || !address || new URL(address).origin !== location.origin) throw error;
    return (await import(/* @vite-ignore */ `${address}?again=${tries}`)) as Script;
  }
}
