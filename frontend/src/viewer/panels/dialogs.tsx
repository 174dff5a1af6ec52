/** Dialogs that wait for the person. */

import { useEffect, useRef, useState } from "preact/hooks";
import { BatchPanel } from "../../offline/panel";
import { useDesk } from "../desk";
import { t } from "../language";
import type { Asking } from "../work";
import { Button, Key } from "./controls";
import { Dialog } from "./dialog";
import { Icon } from "./icons";
import { KeySheet } from "./keysheet";
import { LogIn } from "./login";
import { Palette } from "./palette";
import { SettingsSheet } from "./settings";

export function Dialogs() {
  const desk = useDesk();
  const asking = desk.work.asking.value;
  const close = () => {
    desk.work.asking.value = null;
  };
  const closeSheet = () => {
    desk.sheet.value = null;
  };
  return (
    <>
      {asking && <Asked key={asking.kind} asking={asking} onClose={close} />}
      {!asking && desk.sheet.value === "keys" && <KeySheet onClose={closeSheet} />}
      {!asking && desk.sheet.value === "palette" && <Palette onClose={closeSheet} />}
      {!asking && desk.sheet.value === "settings" && <SettingsSheet onClose={closeSheet} />}
    </>
  );
}

function Asked({ asking, onClose }: { readonly asking: Asking; readonly onClose: () => void }) {
  const desk = useDesk();
  const { work, session } = desk;
  switch (asking.kind) {
    case "skip":
    case "block":
      return (
        <TextDialog
          title={asking.kind === "skip" ? t("Skip this scan") : t("Block this scan")}
          label={asking.kind === "skip" ? t("Why is it skipped?") : t("What is wrong with it?")}
          hint={
            asking.kind === "skip"
              ? t("It goes back to the coordinator, who sees the reason.")
              : t("For example: wrong series, artefact, burnt-in text. The coordinator sees it.")
          }
          action={asking.kind === "skip" ? t("Skip scan") : t("Block scan")}
          onClose={onClose}
          onDone={(text) => {
            onClose();
            void work.giveReason(asking.kind, text);
          }}
        />
      );
    case "comment":
      return (
        <TextDialog
          title={t("Comment on slice {n}", { n: asking.ijk[2] + 1 })}
          label={t("What should be looked at here?")}
          hint={t("Pinned to voxel {ijk}.", { ijk: asking.ijk.join(", ") })}
          action={t("Add comment")}
          onClose={onClose}
          onDone={(text) => {
            onClose();
            desk.tab.value = "comments";
            session.tool.value = "select";
            work.addComment(text, asking.ijk);
          }}
        />
      );
    case "kept":
      return (
        <Dialog title={t("Kept for later")} onClose={onClose}>
          <p>
            {t(
              "There is no connection. {code} is handed in by itself as soon as there is one: strokes first, then the answers, then the server's checks. If one of them speaks against it, My work says which.",
              { code: session.context.scan.code },
            )}
          </p>
          <footer class="row">
            <span class="grow" />
            <Button onClick={onClose}>{t("Stay here")}</Button>
            <a
              class={`btn${asking.next ? "" : " btn-primary"}`}
              data-focus={!asking.next || undefined}
              href="/worklist/"
            >
              {t("My work")}
            </a>
            {asking.next && (
              <a class="btn btn-primary" data-focus href={asking.next}>
                {t("Next scan")}
              </a>
            )}
          </footer>
        </Dialog>
      );
    case "offline":
      return <TakeAlong onClose={onClose} />;
    case "log-in":
      return <LogIn onClose={onClose} />;
    case "signature":
      return <Signature asking={asking} onClose={onClose} />;
    case "interlocks":
      return (
        <Dialog title={session.context.can.approve ? t("Not approved yet") : t("Not submitted yet")} onClose={onClose}>
          <ul class="locks">
            {asking.found.map((lock, n) => (
              <li key={lock.code + lock.message}>
                <Icon name="triangle-alert" />
                <span class="grow">{lock.message}</span>
                <button
                  type="button"
                  class="link"
                  data-focus={n === 0 || undefined}
                  onClick={() => desk.jump(lock.jump)}
                >
                  {t("Go to it")}
                </button>
              </li>
            ))}
          </ul>
          <footer class="row">
            <span class="grow" />
            <Button onClick={onClose}>{t("Back to the scan")}</Button>
            {asking.found.every((l) => l.blocking === false) && (
              <Button
                kind="btn-primary"
                onClick={() => {
                  onClose();
                  void work.submit(asking.found.map((l) => l.code));
                }}
              >
                {t("Submit with these warnings")}
              </Button>
            )}
          </footer>
        </Dialog>
      );
    case "done":
      return (
        <Dialog title={asking.text} onClose={() => location.assign("/")}>
          <footer class="row">
            <span class="grow" />
            <a
              class="btn btn-primary"
              data-focus
              href={session.context.stage === "review" ? "/reviews/" : "/worklist/"}
            >
              {session.context.stage === "review" ? t("Back to the reviews") : t("Back to my work")}
            </a>
          </footer>
        </Dialog>
      );
  }
}

function TakeAlong({ onClose }: { readonly onClose: () => void }) {
  const {
    session: { context },
  } = useDesk();
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (host.current) void new BatchPanel(host.current, context.user, context.batch.id, context.batch.name).open();
  }, []);
  return (
    <Dialog title={t("Batch {name} without a network", { name: context.batch.name })} onClose={onClose}>
      <p class="muted">
        {t(
          "The scans of this batch that are yours come into this browser: you can open them, draw, answer and hand in without a connection.",
        )}
      </p>
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

function TextDialog({ title, label, hint, action, onClose, onDone }: TextProps) {
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

function Signature({
  asking,
  onClose,
}: {
  readonly asking: Extract<Asking, { kind: "signature" }>;
  readonly onClose: () => void;
}) {
  const { work, session } = useDesk();
  const field = useRef<HTMLInputElement>(null);
  return (
    <Dialog title={t("Sign with your password")} onClose={onClose}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          const password = field.current?.value ?? "";
          if (password) void work.verdict(asking.verdict, password);
        }}
      >
        <p class="muted">{t("Your verdict on {scan} is kept under your name.", { scan: session.context.scan.code })}</p>
        <input
          class="vh"
          type="text"
          autocomplete="username"
          value={session.context.user}
          tabIndex={-1}
          aria-hidden="true"
          readOnly
        />
        <div class="field">
          <label for="password">{t("Password of {user}", { user: session.context.user })}</label>
          <input
            ref={field}
            id="password"
            class="input"
            type="password"
            autocomplete="current-password"
            data-focus
            data-testid="password"
            aria-invalid={asking.wrong}
            aria-describedby={asking.wrong ? "password-error" : undefined}
          />
          {asking.wrong && (
            <p class="error" id="password-error">
              <Icon name="circle-x" size="sm" />
              {t("This is not the password.")}
            </p>
          )}
        </div>
        <footer class="row">
          <span class="grow" />
          <Button onClick={onClose}>{t("Cancel")}</Button>
          <button type="submit" class="btn btn-primary" data-testid="sign">
            {asking.verdict === "return" ? t("Sign and return") : t("Sign and approve")}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
