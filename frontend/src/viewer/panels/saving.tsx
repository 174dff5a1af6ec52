/** Whether the work is safe: the words in the bar. */

import { useEffect, useState } from "preact/hooks";
import type { SaveState } from "../../editor/types";
import { useDesk } from "../desk/desk";
import { t, tn } from "../../ground/language";
import { ago } from "../../ground/words";
import { Button } from "../controls/controls";
import { Icon, type IconName } from "../controls/icons";

/** Strokes that the server does not have yet. */
export const unsentOf = (state: SaveState): number => ("unsent" in state ? state.unsent : 0);

const strokes = (n: number): string => tn(n, "{n} stroke", "{n} strokes");

interface Words {
  readonly icon: IconName;
  readonly tone: string;
  readonly words: string;
  readonly detail: string;
}

const keptWords = (unsent: number): string =>
  unsent ? t("{strokes} kept in this browser", { strokes: strokes(unsent) }) : "";

function savedWords(state: SaveState, answersUnsaved: boolean, areRefused: boolean): Words {
  const kept = keptWords(unsentOf(state));
  switch (state.kind) {
    case "saved":
      if (areRefused) return { icon: "triangle-alert", tone: "bad", words: t("Not saved"), detail: t("answers") };
      if (answersUnsaved) return { icon: "cloud-upload", tone: "", words: t("Saving"), detail: t("answers") };
      return { icon: "cloud-check", tone: "good", words: t("Saved"), detail: ago(state.at) };
    case "saving":
      return { icon: "cloud-upload", tone: "", words: t("Saving"), detail: strokes(state.unsent) };
    case "unsaved":
      return { icon: "cloud-upload", tone: "", words: t("Saving soon"), detail: strokes(state.unsent) };
    case "offline":
      return { icon: "cloud-off", tone: "warn", words: offlineWords(state.reason), detail: kept };
    case "conflict":
      return { icon: "triangle-alert", tone: "warn", words: t("Two versions"), detail: kept };
    case "signed-out":
      return { icon: "log-in", tone: "warn", words: t("Signed out"), detail: kept };
    case "refused":
      return { icon: "triangle-alert", tone: "bad", words: t("Not saved"), detail: kept };
    case "read-only": {
      const why = state.reason === "other-tab" ? t("open in another tab") : "";
      return { icon: "eye", tone: state.unsent ? "warn" : "", words: t("Read only"), detail: kept || why };
    }
  }
}

/** Why nothing is sent just now. All of it passes by itself. */
function offlineWords(reason: string): string {
  switch (reason) {
    case "no_space":
      return t("Server's disk full");
    case "busy":
    case "too_many_requests":
    case "http_429":
      return t("Server is busy");
    case "database_away":
    case "http_502":
    case "http_503":
    case "http_504":
      return t("Server is away");
    case "not_understood":
      return t("Server of another version");
    default:
      return t("Offline");
  }
}

export function Saved() {
  const { session, work } = useDesk();
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 10_000);
    return () => clearInterval(timer);
  }, []);
  const state = session.save.value;
  const { icon, tone, words, detail } = savedWords(
    state,
    work.answersUnsaved.value,
    work.answersRefused.value !== null,
  );
  return (
    <span class="saved" data-testid="save-state" data-state={state.kind} data-unsent={unsentOf(state)}>
      <span class={`row-tight ${tone}`}>
        <Icon name={icon} />
        <span class={tone || "text"}>{words}</span>
      </span>
      <span class="faint">{detail}</span>
      {state.kind === "offline" && (
        <Button title={t("It tries again by itself.")} onClick={() => void session.editor.resume(null)}>
          {t("Try now")}
        </Button>
      )}
    </span>
  );
}
