/** Comments, pinned to voxels, with their replies. */

import { useEffect, useState } from "preact/hooks";
import { useDesk } from "../desk/desk";
import { t } from "../../ground/language";
import { Button, Kbd } from "../controls/controls";
import { OnItsWay } from "./writing";
import { Thread } from "./thread";

/** As long as the comments must be on screen to count as read. */
const READ_AFTER_MS = 1500;

/** What was unread when one came: it stays marked while one reads, and counts as read after a moment. */
function useFresh(): ReadonlySet<string> {
  const {
    work: { talk },
  } = useDesk();
  const unread = talk.unread.value;
  const [fresh] = useState(
    () =>
      new Set(
        talk.comments.value
          .flatMap((c) => [c, ...c.replies])
          .filter((words) => talk.isUnread(words))
          .map((words) => words.id),
      ),
  );
  useEffect(() => {
    if (!unread) return;
    const timer = setTimeout(() => void talk.markSeen(), READ_AFTER_MS);
    return () => clearTimeout(timer);
  }, [unread]);
  return fresh;
}

export function CommentsTab() {
  const desk = useDesk();
  const { session, work } = desk;
  const { can } = session.context;
  const { talk } = work;
  const comments = talk.comments.value;
  const fresh = useFresh();
  const ownWaiting = talk.waiting.value.filter((w) => w.to === null);
  return (
    <div class="sec comments" data-testid="comments">
      {can.comment && !session.context.review && (
        <p class="small">
          {t("A question to the reviewer goes with the hand-in; the answer comes back with the scan.")}
        </p>
      )}
      {can.comment && (
        <p class="small faint">
          {t("Choose the comment tool")} <Kbd keys="C" /> {t("and press on the image, or")}{" "}
          <button
            type="button"
            class="link"
            onClick={() => {
              work.ask({ kind: "comment", ijk: session.cross.value });
            }}
          >
            {t("comment at the crosshair")}
          </button>
          .
        </p>
      )}
      {comments.length + work.talk.drafts.value.length + ownWaiting.length === 0 && (
        <p class="small faint">{t("No comments.")}</p>
      )}
      <ol>
        {comments.map((c, n) => (
          <Thread key={c.id} comment={c} n={n + 1} fresh={fresh} />
        ))}
        {ownWaiting.map((w) => (
          <li key={w.id} ref={desk.attention.ref(`word-${w.id}`)} tabIndex={-1} data-testid="waiting">
            <span class="pinno off" />
            <div class="grow">
              <p>{w.text}</p>
              <OnItsWay words={w} />
            </div>
          </li>
        ))}
        <Drafts after={comments.length} />
      </ol>
    </div>
  );
}

/** Comments that a reviewer has written and that go with the return; numbered on from those before. */
function Drafts({ after }: { readonly after: number }) {
  const { session, work } = useDesk();
  return (
    <>
      {work.talk.drafts.value.map((d, n) => (
        <li key={`draft-${n}`} data-testid="draft">
          <button
            type="button"
            class="pinno"
            disabled={!d.ijk}
            aria-label={t("Show new comment {n}", { n: n + 1 })}
            onClick={() => d.ijk && session.goTo(d.ijk)}
          >
            {after + n + 1}
          </button>
          <div class="grow">
            <p class="small faint">
              {session.context.can.return ? t("Goes with the return") : t("Goes with the hand-in")}
            </p>
            <p>{d.text}</p>
          </div>
          <Button
            icon="trash-2"
            kind="btn-ghost"
            label={t("Remove new comment {n}", { n: n + 1 })}
            onClick={() => work.commenting.removeDraft(n)}
          />
        </li>
      ))}
    </>
  );
}
