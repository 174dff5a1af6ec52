/** Words of a person: who and when, on their way to the server, being written. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Comment, Reply } from "../../ground/contract";
import { useDesk } from "../desk/desk";
import { t } from "../../ground/language";
import type { Word } from "../../offline/intents";
import { ago } from "../../ground/words";
import { Button } from "../controls/controls";

const LONGEST = 2000;

export function Head({
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
export function OnItsWay({ words }: { readonly words: Word }) {
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

export function Writer({ label, text, action, onClose, onDone }: WriterProps) {
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
