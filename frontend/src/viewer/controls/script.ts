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
    load().then(setScript, () => {
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
