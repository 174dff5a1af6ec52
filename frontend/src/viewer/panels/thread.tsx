/** One comment with its replies. */

import { useState } from "preact/hooks";
import type { Comment, Reply } from "../../ground/contract";
import { useDesk } from "../desk/desk";
import { t } from "../../ground/language";
import { Icon } from "../controls/icons";
import { Head, OnItsWay, Writer } from "./writing";

/** What is being written: a reply to the comment, or another text for it or for one of its replies. */
type Writing = "reply" | "edit" | Reply | null;

export function Thread({
  comment: c,
  n,
  fresh,
}: {
  readonly comment: Comment;
  readonly n: number;
  readonly fresh: ReadonlySet<string>;
}) {
  const desk = useDesk();
  const { work } = desk;
  const [writing, setWriting] = useState<Writing>(null);
  const isResolved = c.state === "resolved";
  const where = `${t("round {n}", { n: c.round })}${c.ijk ? `, ${t("slice {n}", { n: c.ijk[2] + 1 })}` : ""}`;
  const done = () => {
    setWriting(null);
    desk.attention.bring(`comment-${c.id}`);
  };
  return (
    <li
      ref={desk.attention.ref(`comment-${c.id}`)}
      tabIndex={-1}
      class={isResolved ? "resolved" : ""}
      aria-label={t("Comment {n} by {author}", { n, author: c.author })}
      data-testid="comment"
    >
      <Pin comment={c} n={n} />
      <div class="grow">
        <Head words={c} more={where} isNew={fresh.has(c.id)} />
        {writing === "edit" ? (
          <Change comment={c} reply={null} label={t("Change comment {n}", { n })} onClose={done} />
        ) : (
          <p>{c.text}</p>
        )}
        <Replies comment={c} fresh={fresh} writing={writing} onWrite={setWriting} onClose={done} />
        {writing === "reply" ? (
          <Writer
            label={t("Reply to comment {n}", { n })}
            text=""
            action={t("Reply")}
            onClose={done}
            onDone={(text) => {
              work.talk.reply(c.id, text);
              done();
            }}
          />
        ) : (
          <Foot comment={c} n={n} onWrite={setWriting} />
        )}
      </div>
    </li>
  );
}

/** The number of a comment; it leads to where the comment is pinned. */
function Pin({ comment: c, n }: { readonly comment: Comment; readonly n: number }) {
  const { session } = useDesk();
  return (
    <button
      type="button"
      class="pinno"
      disabled={!c.ijk}
      aria-label={t("Show comment {n}", { n })}
      title={t("Show the location")}
      onClick={() => c.ijk && session.goTo(c.ijk)}
    >
      {n}
    </button>
  );
}

/** The text of a comment or of a reply, to be changed. */
function Change({
  comment,
  reply,
  label,
  onClose,
}: {
  readonly comment: Comment;
  readonly reply: Reply | null;
  readonly label: string;
  readonly onClose: () => void;
}) {
  const { work } = useDesk();
  return (
    <Writer
      label={label}
      text={(reply ?? comment).text}
      action={t("Change")}
      onClose={onClose}
      onDone={(text) =>
        void work.commenting.edit(comment, reply, text).then((taken) => {
          if (taken) onClose();
        })
      }
    />
  );
}

/** The replies, and those that are on their way. */
function Replies({
  comment: c,
  fresh,
  writing,
  onWrite,
  onClose,
}: {
  readonly comment: Comment;
  readonly fresh: ReadonlySet<string>;
  readonly writing: Writing;
  readonly onWrite: (reply: Reply) => void;
  readonly onClose: () => void;
}) {
  const { work, attention } = useDesk();
  const waiting = work.talk.waiting.value.filter((w) => w.to === c.id);
  if (c.replies.length + waiting.length === 0) return null;
  return (
    <ol class="replies">
      {c.replies.map((r, k) => (
        <ReplyItem
          key={r.id}
          comment={c}
          reply={r}
          after={c.replies.slice(k + 1)}
          isNew={fresh.has(r.id)}
          writing={writing === r}
          onWrite={() => onWrite(r)}
          onClose={onClose}
        />
      ))}
      {waiting.map((w) => (
        <li key={w.id} ref={attention.ref(`word-${w.id}`)} tabIndex={-1} data-testid="waiting">
          <p>{w.text}</p>
          <OnItsWay words={w} />
        </li>
      ))}
    </ol>
  );
}

/** A reply; `after` are those that came later. */
function ReplyItem({
  comment,
  reply,
  after,
  isNew,
  writing,
  onWrite,
  onClose,
}: {
  readonly comment: Comment;
  readonly reply: Reply;
  readonly after: readonly Reply[];
  readonly isNew: boolean;
  readonly writing: boolean;
  readonly onWrite: () => void;
  readonly onClose: () => void;
}) {
  const { work } = useDesk();
  return (
    <li data-testid="reply">
      <Head words={reply} more="" isNew={isNew} />
      {writing ? (
        <Change comment={comment} reply={reply} label={t("Change the reply")} onClose={onClose} />
      ) : (
        <p>
          {reply.text}
          {work.talk.canEdit(reply, after) && (
            <>
              {" "}
              <button type="button" class="link small" aria-label={t("Change the reply")} onClick={onWrite}>
                {t("Change")}
              </button>
            </>
          )}
        </p>
      )}
    </li>
  );
}

/** Whether a comment is resolved, and what can be done with it. */
function Foot({
  comment: c,
  n,
  onWrite,
}: {
  readonly comment: Comment;
  readonly n: number;
  readonly onWrite: (what: "reply" | "edit") => void;
}) {
  const { session, work } = useDesk();
  const { can } = session.context;
  const isResolved = c.state === "resolved";
  const acts = [
    can.comment && (
      <button type="button" class="link" aria-label={t("Reply to comment {n}", { n })} onClick={() => onWrite("reply")}>
        {t("Reply")}
      </button>
    ),
    (can.comment || can.edit) && (
      <button type="button" class="link" onClick={() => void work.commenting.setResolved(c, !isResolved)}>
        {isResolved ? t("Reopen") : t("Resolve")}
      </button>
    ),
    !isResolved && work.talk.canEdit(c, c.replies) && (
      <button type="button" class="link" aria-label={t("Change comment {n}", { n })} onClick={() => onWrite("edit")}>
        {t("Change")}
      </button>
    ),
  ];
  return (
    <p class="small">
      {isResolved ? (
        <span class="good">
          <Icon name="check" size="sm" /> {t("Resolved")}
        </span>
      ) : (
        <span class="warn">{t("Open")}</span>
      )}
      {acts.map((act) => act && <> · {act}</>)}
    </p>
  );
}
