/** The strokes of this page, newest first, and where the mask stands. */

import { useDesk } from "../desk";
import { ml, signed } from "../words";

export function HistoryTab() {
  const { session } = useDesk();
  const { start } = session.context.masks[session.layer.name];
  const words: Readonly<Record<string, string>> = { blank: "Started from an empty mask", prediction: "Started from the pre-annotation", returned: "Goes on from the returned mask", submission: "Started from what was submitted" };
  const save = session.save.value;
  return (
    <div class="sec" data-testid="history">
      <p class="small">{words[start] ?? "Started from an earlier mask"}.</p>
      {session.restored.value > 0 && <p class="small warn">{session.restored.value} strokes came back from this browser's journal.</p>}
      <p class="small faint">{save.kind === "saved" ? `Revision ${save.revision.slice(0, 8)} on the server.` : "Not everything is on the server yet."} Undo reaches back {session.history.value.undoDepth} strokes.</p>
      <ol class="strokes long">
        {session.strokes.value.map((s) => (
          <li key={s.id}>
            <span class="faint num time">{new Date(s.at).toLocaleTimeString("en-GB")}</span>
            <span class="grow clip">{s.tool.charAt(0).toUpperCase() + s.tool.slice(1)}, {session.segmentName(s.segment).toLowerCase()}</span>
            <span class="num">{signed(s.added - s.removed, ml(Math.abs(s.added - s.removed) * session.voxelMl))} mL</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
