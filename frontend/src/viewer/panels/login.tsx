/** Logging in again on the page: name, password, and the second factor where the account has one. */

import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useDesk } from "../desk/desk";
import { giveCode, identify, logIn, LOGIN, type Answer } from "../work/door";
import { t } from "../../ground/language";
import { Button } from "../controls/controls";
import { Dialog } from "../controls/dialog";
import { Icon } from "../controls/icons";

type Step = "password" | "code";

/** What the dialog asks for and has heard; `onClose` is called once the reader is in. */
function useLogIn(onClose: () => void) {
  const { session, work } = useDesk();
  const [step, setStep] = useState<Step>("password");
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const { user } = session.context;

  const hear = async (answer: Answer) => {
    if (answer.kind === "code") {
      setStep("code");
      setWrong("");
    } else if (answer.kind === "refused") setWrong(answer.text);
    else if (await work.signedInAgain(answer.identity)) onClose();
    else
      setWrong(t("You are logged in as {other}; these strokes are {user}'s.", { other: answer.identity.user, user }));
  };
  // Back from another tab: perhaps its reader has logged in there.
  useEffect(() => {
    const look = () => {
      identify().then(
        (identity) => identity && void hear({ kind: "in", identity }),
        () => undefined,
      );
    };
    addEventListener("focus", look);
    return () => removeEventListener("focus", look);
  });
  const send = async () => {
    const typed = field.current?.value ?? "";
    if (!typed || busy) return;
    setBusy(true);
    try {
      await hear(await (step === "code" ? giveCode(typed) : logIn(user, typed)));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      setWrong(t("The server cannot be reached; your strokes are kept."));
    } finally {
      setBusy(false);
      if (field.current) field.current.value = "";
      field.current?.focus();
    }
  };
  return { step, wrong, busy, field, user, send };
}

export function LogIn({ onClose }: { readonly onClose: () => void }) {
  const { step, wrong, busy, field, user, send } = useLogIn(onClose);
  return (
    <Dialog title={t("Log in again")} onClose={onClose}>
      <form
        data-testid="log-in"
        onSubmit={(e) => {
          e.preventDefault();
          void send();
        }}
      >
        <p class="muted">{t("Your strokes are kept on this page and are saved as soon as you are in.")}</p>
        {step === "password" && (
          <div class="field">
            <label for="login-name">{t("Name")}</label>
            <input id="login-name" class="input" autocomplete="username" value={user} readOnly />
          </div>
        )}
        <Secret key={step} step={step} field={field} wrong={wrong} />
        <footer class="row">
          <a class="btn btn-ghost" href={LOGIN} target="_blank" rel="noopener" title={t("Then come back to this tab")}>
            <Icon name="key-round" />
            {t("Use a passkey")}
          </a>
          <span class="grow" />
          <Button onClick={onClose}>{t("Later")}</Button>
          <button type="submit" class="btn btn-primary" disabled={busy}>
            {busy ? t("Logging in…") : t("Log in")}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

/** The field for the password, then for the second factor, with what was wrong. */
function Secret({
  step,
  field,
  wrong,
}: {
  readonly step: Step;
  readonly field: RefObject<HTMLInputElement | null>;
  readonly wrong: string;
}) {
  const said = { "aria-invalid": !!wrong, "aria-describedby": wrong ? "login-wrong" : undefined };
  return (
    <div class="field">
      <label for="login-secret">{step === "code" ? t("Authenticator or recovery code") : t("Password")}</label>
      {step === "code" ? (
        <input
          ref={field}
          id="login-secret"
          class="input"
          autoFocus
          type="text"
          autocomplete="one-time-code"
          {...said}
        />
      ) : (
        <input
          ref={field}
          id="login-secret"
          class="input"
          data-focus
          type="password"
          autocomplete="current-password"
          {...said}
        />
      )}
      {wrong && (
        <span class="error" id="login-wrong" role="alert">
          {wrong}
        </span>
      )}
    </div>
  );
}
