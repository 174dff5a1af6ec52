/**
 * Runs before the viewer's own script has come over the line: asks for what that will wait for, so that the line is
 * never idle. A page whose context has no index asks for nothing.
 */

import decoder from "@cornerstonejs/codec-openjph/wasm?url";
import { readKept, type Shape } from "../ground/check";
import { fetchEarly } from "../load/shelf";
// oxlint-disable import/default -- Vite makes these addresses
import decodeWorker from "../load/decode.worker?worker&url";
import editorWorker from "../editor/editor.worker?worker&url";
// oxlint-enable import/default

interface Opening {
  readonly scan: { readonly index: { readonly preview: { readonly url: string } } };
}
const OPENING: Shape<Opening> = "scan:S";
const PARTS = { S: "index:I", I: "preview:P", P: "url:s" };

const opening = readKept(document.getElementById("context")?.textContent, OPENING, PARTS);
if (opening) {
  fetchEarly(opening.scan.index.preview.url);
  // Into the browser's cache, where the workers find them.
  for (const url of [decodeWorker, decoder, editorWorker]) void fetch(url).catch(() => undefined);
}
