/** The moment of signing: what is signed, by whom, with which meaning; the password where the campaign asks for it. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { useDesk } from "../desk/desk";
import { t, tn } from "../../ground/language";
import { ml } from "../../ground/words";
import type { Asking } from "../work/asking";
import { seenWords } from "../work/checks";
import { Button, Key } from "../controls/controls";
import { Dialog } from "../controls/dialog";
import { Icon } from "../controls/icons";

interface Props {
  readonly asking: Extract<Asking, { kind: "signature" }>;
  readonly onClose: () => void;
}

export function Signature({ asking, onClose }: Props) {
  const { work, session } = useDesk();
  const field = useRef<HTMLInputElement>(null);
  const { scan } = session.context;
  const title =
    session.context.stage === "arbitration"
      ? t("Decide on {scan}", { scan: scan.code })
      : asking.verdict === "correct"
        ? t("Correct and approve {scan}", { scan: scan.code })
        : t("Approve {scan}", { scan: scan.code });
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="signing"
        onSubmit={(e) => {
          e.preventDefault();
          const password = field.current?.value ?? "";
          if (password || !asking.asks) void work.verdicts.give(asking.verdict, password);
        }}
      >
        <Signed isCorrected={asking.verdict === "correct"} />
        {asking.asks ? <Password field={field} isWrong={asking.wrong} /> : <WhenAsked />}
        <footer class="row">
          <span class="grow" />
          <Button onClick={onClose}>
            {t("Cancel")} <Key name="Esc" />
          </Button>
          <button
            type="submit"
            class="btn btn-primary"
            data-testid="sign"
            data-focus={asking.asks ? undefined : true}
            disabled={!!work.busy.value}
          >
            {t("Sign and approve")} <Key name="Enter" />
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

/** What is signed, by whom, and what it means. */
function Signed({ isCorrected }: { readonly isCorrected: boolean }) {
  const { session, seen } = useDesk();
  const { user, review, signature, stage } = session.context;
  const decides = stage === "arbitration";
  const total = session.stats.value.segments.reduce((sum, s) => sum + s.ml, 0);
  const lesions = session.lesions.value.length;
  return (
    <>
      <dl class="signed" data-testid="signed">
        <div>
          <dt>{t("What")}</dt>
          <dd>
            {decides
              ? t("Your decision between the readers")
              : t("Round {n} by {author}", { n: review?.round ?? 1, author: review?.author ?? "" })}
            {isCorrected && !decides && `, ${t("with your corrections")}`}: {ml(total)} {session.unit},{" "}
            {tn(lesions, "{n} lesion", "{n} lesions")}
          </dd>
        </div>
        <div>
          <dt>{t("Signed by")}</dt>
          <dd>{user}</dd>
        </div>
        <div>
          <dt>{t("Meaning")}</dt>
          <dd>“{signature.meaning}”</dd>
        </div>
      </dl>
      {seen.value && (
        <p class={`note ${seen.value.isEnough ? "" : "note-warn"}`} data-testid="signed-seen">
          <Icon name={seen.value.isEnough ? "eye" : "triangle-alert"} />
          <span class="grow">{t("Recorded with your signature: {seen}.", { seen: seenWords(seen.value) })}</span>
        </p>
      )}
    </>
  );
}

/** The rule by which this campaign asks for the password, as it is. */
function WhenAsked() {
  const { policy, minutes } = useDesk().session.context.signature;
  return (
    <p class="small muted">
      {policy === "log_in"
        ? t("You sign with your log-in; this campaign asks for no password.")
        : t("Your password is asked for when you last entered it more than {n} minutes ago.", { n: minutes })}
    </p>
  );
}

function Password({
  field,
  isWrong,
}: {
  readonly field: { current: HTMLInputElement | null };
  readonly isWrong: boolean;
}) {
  const { user, signature } = useDesk().session.context;
  // The field also comes into an open dialog, when the server wants the password after all.
  useLayoutEffect(() => field.current?.focus(), [isWrong]);
  return (
    <>
      <input class="vh" type="text" autocomplete="username" value={user} tabIndex={-1} aria-hidden="true" readOnly />
      <div class="field">
        <label for="password">{t("Password of {user}", { user })}</label>
        <input
          ref={field}
          id="password"
          class="input"
          type="password"
          autocomplete="current-password"
          data-focus
          data-testid="password"
          aria-invalid={isWrong}
          aria-describedby={isWrong ? "password-error" : "password-hint"}
        />
        {isWrong ? (
          <p class="error" id="password-error">
            <Icon name="circle-x" size="sm" />
            {t("This is not the password.")}
          </p>
        ) : (
          <p class="hint" id="password-hint">
            {signature.policy === "always"
              ? t("This campaign asks for it with every approval.")
              : t("You entered it more than {n} minutes ago.", { n: signature.minutes })}
          </p>
        )}
      </div>
    </>
  );
}
