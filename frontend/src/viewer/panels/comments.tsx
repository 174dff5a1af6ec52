/** Comments, pinned to voxels, with their replies. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Comment, Reply } from "../context";
import { useDesk } from "../desk";
import { t } from "../language";
import type { Word } from "../../offline/intents";
import { ago } from "../words";
import { Button, Kbd } from "./controls";
import { Icon } from "./icons";

/** As long as the comments must be on screen to count as read. */
const READ_AFTER_MS = 1500;
const LONGEST = 2000;

export function CommentsTab() {
  const desk = useDesk();
  const { session, work } = desk;
  const { can } = session.context;
  const { talk } = work;
  const comments = talk.comments.value;
  const unread = talk.unread.value;
  // What was unread when one came stays marked while one reads.
  const [fresh] = useState(
    () =>
      new Set(
        comments
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
  const ownWaiting = talk.waiting.value.filter((w) => w.to === null);
  return (
    <div class="sec comments" data-testid="comments">
      {can.comment && (
        <p class="small faint">
          {t("Choose the comment tool")} <Kbd keys="C" /> {t("and press on the place, or")}{" "}
          <button
            type="button"
            class="link"
            onClick={() => {
              work.asking.value = { kind: "comment", ijk: session.cross.value };
            }}
          >
            {t("comment at the crosshair")}
          </button>
          .
        </p>
      )}
      {comments.length + work.drafts.value.length + ownWaiting.length === 0 && (
        <p class="small faint">{t("No comments.")}</p>
      )}
      <ol>
        {comments.map((c, n) => (
          <Thread key={c.id} comment={c} n={n + 1} fresh={fresh} />
        ))}
        {ownWaiting.map((w) => (
          <li key={w.id} id={`word-${w.id}`} tabIndex={-1} data-testid="waiting">
            <span class="pinno off" />
            <div class="grow">
              <p>{w.text}</p>
              <OnItsWay words={w} />
            </div>
          </li>
        ))}
        {work.drafts.value.map((d, n) => (
          <li key={`draft-${n}`} data-testid="draft">
            <button
              type="button"
              class="pinno"
              disabled={!d.ijk}
              aria-label={t("Show new comment {n}", { n: n + 1 })}
              onClick={() => d.ijk && session.goTo(d.ijk)}
            >
              {comments.length + n + 1}
            </button>
            <div class="grow">
              <p class="small faint">{t("Goes with the return")}</p>
              <p>{d.text}</p>
            </div>
            <Button
              icon="trash-2"
              kind="btn-ghost"
              label={t("Remove new comment {n}", { n: n + 1 })}
              onClick={() => work.removeDraft(n)}
            />
          </li>
        ))}
      </ol>
    </div>
  );
}

function Thread({
  comment: c,
  n,
  fresh,
}: {
  readonly comment: Comment;
  readonly n: number;
  readonly fresh: ReadonlySet<string>;
}) {
  const desk = useDesk();
  const { session, work } = desk;
  const { can } = session.context;
  const [writing, setWriting] = useState<"reply" | "edit" | Reply | null>(null);
  const isResolved = c.state === "resolved";
  const where = `${t("round {n}", { n: c.round })}${c.ijk ? `, ${t("slice {n}", { n: c.ijk[2] + 1 })}` : ""}`;
  const waiting = work.talk.waiting.value.filter((w) => w.to === c.id);
  const done = () => {
    setWriting(null);
    requestAnimationFrame(() => document.getElementById(`comment-${c.id}`)?.focus());
  };
  return (
    <li
      id={`comment-${c.id}`}
      tabIndex={-1}
      class={isResolved ? "resolved" : ""}
      aria-label={t("Comment {n} by {author}", { n, author: c.author })}
      data-testid="comment"
    >
      <button
        type="button"
        class="pinno"
        disabled={!c.ijk}
        aria-label={t("Show comment {n}", { n })}
        title={t("Show the place")}
        onClick={() => c.ijk && session.goTo(c.ijk)}
      >
        {n}
      </button>
      <div class="grow">
        <Head words={c} more={where} isNew={fresh.has(c.id)} />
        {writing === "edit" ? (
          <Writer
            label={t("Change comment {n}", { n })}
            text={c.text}
            action={t("Change")}
            onClose={done}
            onDone={(text) =>
              void work.edit(c, null, text).then((taken) => {
                if (taken) done();
              })
            }
          />
        ) : (
          <p>{c.text}</p>
        )}
        {c.replies.length + waiting.length > 0 && (
          <ol class="replies">
            {c.replies.map((r, k) => (
              <li key={r.id} data-testid="reply">
                <Head words={r} more="" isNew={fresh.has(r.id)} />
                {writing === r ? (
                  <Writer
                    label={t("Change the reply")}
                    text={r.text}
                    action={t("Change")}
                    onClose={done}
                    onDone={(text) =>
                      void work.edit(c, r, text).then((taken) => {
                        if (taken) done();
                      })
                    }
                  />
                ) : (
                  <p>
                    {r.text}
                    {work.talk.canEdit(r, c.replies.slice(k + 1)) && (
                      <>
                        {" "}
                        <button
                          type="button"
                          class="link small"
                          aria-label={t("Change the reply")}
                          onClick={() => setWriting(r)}
                        >
                          {t("Change")}
                        </button>
                      </>
                    )}
                  </p>
                )}
              </li>
            ))}
            {waiting.map((w) => (
              <li key={w.id} id={`word-${w.id}`} tabIndex={-1} data-testid="waiting">
                <p>{w.text}</p>
                <OnItsWay words={w} />
              </li>
            ))}
          </ol>
        )}
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
          <p class="small">
            {isResolved ? (
              <span class="good">
                <Icon name="check" size="sm" /> {t("Resolved")}
              </span>
            ) : (
              <span class="warn">{t("Open")}</span>
            )}
            {can.comment && (
              <>
                {" "}
                ·{" "}
                <button
                  type="button"
                  class="link"
                  aria-label={t("Reply to comment {n}", { n })}
                  onClick={() => setWriting("reply")}
                >
                  {t("Reply")}
                </button>
              </>
            )}
            {(can.comment || can.edit) && (
              <>
                {" "}
                ·{" "}
                <button type="button" class="link" onClick={() => void work.setResolved(c, !isResolved)}>
                  {isResolved ? t("Reopen") : t("Resolve")}
                </button>
              </>
            )}
            {!isResolved && work.talk.canEdit(c, c.replies) && (
              <>
                {" "}
                ·{" "}
                <button
                  type="button"
                  class="link"
                  aria-label={t("Change comment {n}", { n })}
                  onClick={() => setWriting("edit")}
                >
                  {t("Change")}
                </button>
              </>
            )}
          </p>
        )}
      </div>
    </li>
  );
}

function Head({
  words,
  more,
  isNew,
}: {
  readonly words: Comment | Reply;
  readonly more: string;
  readonly isNew: boolean;
}) {
  return (
    <p class="small">
      <b>{words.author}</b>{" "}
      <span class="faint" title={words.created_at}>
        {ago(words.created_at)}
        {words.edited_at && `, ${t("changed")}`}
        {more && `, ${more}`}
      </span>
      {isNew && (
        <>
          {" "}
          <span class="count count-hot" data-testid="new">
            {t("new")}
          </span>
        </>
      )}
    </p>
  );
}

/** Words that the server does not have yet. */
function OnItsWay({ words }: { readonly words: Word }) {
  const {
    work: { talk },
  } = useDesk();
  const [writing, setWriting] = useState(false);
  if (writing)
    return (
      <Writer
        label={t("Change the comment")}
        text={words.text}
        action={t("Send")}
        onClose={() => setWriting(false)}
        onDone={(text) => {
          setWriting(false);
          talk.again(words.id, text);
        }}
      />
    );
  if (words.refused === null) return <p class="small faint">{t("Not sent yet; kept in this browser")}</p>;
  return (
    <p class="small">
      <span class="warn">{words.refused}</span> ·{" "}
      <button type="button" class="link" onClick={() => talk.again(words.id)}>
        {t("Send again")}
      </button>{" "}
      ·{" "}
      <button type="button" class="link" onClick={() => setWriting(true)}>
        {t("Change")}
      </button>{" "}
      ·{" "}
      <button type="button" class="link" onClick={() => talk.drop(words.id)}>
        {t("Drop")}
      </button>
    </p>
  );
}

interface WriterProps {
  readonly label: string;
  readonly text: string;
  readonly action: string;
  readonly onClose: () => void;
  readonly onDone: (text: string) => void;
}

function Writer({ label, text, action, onClose, onDone }: WriterProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  const [now, setNow] = useState(text);
  useLayoutEffect(() => {
    field.current?.focus();
  }, []);
  const done = () => {
    if (now.trim()) onDone(now.trim());
  };
  return (
    <form
      class="writer"
      onSubmit={(e) => {
        e.preventDefault();
        done();
      }}
    >
      <textarea
        ref={field}
        class="input"
        rows={2}
        maxLength={LONGEST}
        aria-label={label}
        value={now}
        data-testid="write"
        onInput={(e) => setNow(e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) {
            e.preventDefault();
            e.stopPropagation();
            done();
          }
          if (e.key === "Escape") {
            e.stopPropagation();
            onClose();
          }
        }}
      />
      <div class="row">
        <span class="grow" />
        <Button kind="btn-ghost" onClick={onClose}>
          {t("Cancel")}
        </Button>
        <button type="submit" class="btn" disabled={!now.trim()}>
          {action} <kbd aria-hidden="true">Ctrl ↵</kbd>
        </button>
      </div>
    </form>
  );
}
