/** Dialogs that ask for a text, and for how long a batch is taken along. */

import { useEffect, useRef, useState } from "preact/hooks";
import { useDesk } from "../desk/desk";
import { t } from "../../ground/language";
import { Button, Key } from "../controls/controls";
import { Dialog } from "../controls/dialog";

export function TakeAlong({ onClose }: { readonly onClose: () => void }) {
  const {
    session: { context },
  } = useDesk();
  const host = useRef<HTMLDivElement>(null);
  const [trouble, setTrouble] = useState("");
  useEffect(() => {
    import("../../offline/panel").then(
      async ({ BatchPanel }) => {
        if (host.current) await new BatchPanel(host.current, context.user, context.batch.id, context.batch.name).open();
      },
      () => setTrouble(t("The server cannot be reached.")),
    );
  }, []);
  return (
    <Dialog title={t("Batch {name} without a network", { name: context.batch.name })} onClose={onClose}>
      <p class="muted">
        {t(
          "The scans of this batch that are yours come into this browser: you can open them, draw, answer and " +
            "hand in without a connection.",
        )}
      </p>
      {trouble && (
        <p class="small warn" role="alert">
          {trouble}
        </p>
      )}
      <div ref={host} class="along" />
    </Dialog>
  );
}

interface TextProps {
  readonly title: string;
  readonly label: string;
  readonly hint: string;
  readonly action: string;
  readonly onClose: () => void;
  readonly onDone: (text: string) => void;
}

export function TextDialog({ title, label, hint, action, onClose, onDone }: TextProps) {
  const [text, setText] = useState("");
  const done = () => {
    if (text.trim()) onDone(text.trim());
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          done();
        }}
      >
        <div class="field">
          <label for="dialog-text">{label}</label>
          <textarea
            id="dialog-text"
            class="input"
            rows={3}
            data-focus
            maxLength={2000}
            data-testid="dialog-text"
            onInput={(e) => setText(e.currentTarget.value)}
            onKeyDown={(e) => {
              if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) {
                e.preventDefault();
                done();
              }
            }}
          />
          <p class="hint">{hint}</p>
        </div>
        <footer class="row">
          <span class="grow" />
          <Button onClick={onClose}>{t("Cancel")}</Button>
          <button type="submit" class="btn btn-primary" data-testid="dialog-done" disabled={!text.trim()}>
            {action} <Key name="Ctrl+Enter" />
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
