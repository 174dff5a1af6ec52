/** Comments, pinned to voxels. */

import { useDesk } from "../desk";
import { ago } from "../words";
import { Button } from "./controls";
import { Icon } from "./icons";

export function CommentsTab() {
  const desk = useDesk();
  const { session, work } = desk;
  const { can } = session.context;
  const comments = work.comments.value;
  return (
    <div class="sec comments" data-testid="comments">
      {can.comment && (
        <p class="small faint">
          Choose the comment tool <kbd>C</kbd> and press on the place, or <button type="button" class="link" onClick={() => { work.asking.value = { kind: "comment", ijk: session.cross.value }; }}>comment at the crosshair</button>.
        </p>
      )}
      {comments.length + work.drafts.value.length === 0 && <p class="small faint">No comments.</p>}
      <ol>
        {comments.map((c, n) => (
          <li key={c.id} class={c.state === "resolved" ? "resolved" : ""} data-testid="comment">
            <button type="button" class="pinno" disabled={!c.ijk} aria-label={`Show comment ${n + 1}`} title="Show the place" onClick={() => c.ijk && session.goTo(c.ijk)}>{n + 1}</button>
            <div class="grow">
              <p class="small"><b>{c.author}</b> <span class="faint" title={c.created_at}>{ago(c.created_at)}, round {c.round}{c.ijk ? `, slice ${c.ijk[2] + 1}` : ""}</span></p>
              <p>{c.text}</p>
              <p class="small">
                {c.state === "resolved" ? <span class="good"><Icon name="check" size="sm" /> Resolved</span> : <span class="warn">Open</span>}
                {(can.comment || can.edit) && <> · <button type="button" class="link" onClick={() => void work.setResolved(c, c.state !== "resolved")}>{c.state === "resolved" ? "Reopen" : "Resolve"}</button></>}
              </p>
            </div>
          </li>
        ))}
        {work.drafts.value.map((d, n) => (
          <li key={`draft-${n}`} data-testid="draft">
            <button type="button" class="pinno" disabled={!d.ijk} aria-label={`Show new comment ${n + 1}`} onClick={() => d.ijk && session.goTo(d.ijk)}>{comments.length + n + 1}</button>
            <div class="grow"><p class="small faint">Goes with the return</p><p>{d.text}</p></div>
            <Button icon="trash-2" kind="btn-ghost" label={`Remove new comment ${n + 1}`} onClick={() => work.removeDraft(n)} />
          </li>
        ))}
      </ol>
    </div>
  );
}
