/** The sheet of keys: every command by group with its keys, which can be set anew. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { allCommands, commandsOf, titleOf, type Command } from "../commands";
import { keyNames, keyWords, keysOf, rebound, restored, whyTaken } from "../commands/keys";
import { useDesk } from "../desk";
import { msg, t } from "../language";
import { change, settings } from "../settings";
import { Button, Key } from "./controls";
import { Dialog } from "./dialog";
import { Icon } from "./icons";

const MODIFIERS = [
  "Shift",
  "Control",
  "Alt",
  "Meta",
  "AltGraph",
  "CapsLock",
  "NumLock",
  "OS",
  "Fn",
  "Process",
  "Unidentified",
];
const MOUSE: readonly (readonly [string, string])[] = [
  [msg("Slices"), msg("Wheel")],
  [msg("Radius of the brush"), msg("Shift + wheel")],
  [msg("Tolerance"), msg("Alt + wheel")],
  [msg("Zoom"), msg("Ctrl + wheel")],
  [msg("Window"), msg("Right button")],
  [msg("Move the image"), msg("Middle button, or Space")],
  [msg("Drop the stroke"), msg("Esc while painting")],
];

/** What the sheet waits for, or has to say. */
type State =
  | { readonly kind: "idle"; readonly said: string }
  | { readonly kind: "press"; readonly id: string; readonly refused: string }
  | { readonly kind: "clash"; readonly id: string; readonly key: string; readonly owner: Command };

export function KeySheet({ onClose }: { readonly onClose: () => void }) {
  const desk = useDesk();
  const all = useMemo(() => allCommands(desk), [desk]);
  const [state, setState] = useState<State>({ kind: "idle", said: "" });
  const asked = useRef<HTMLDivElement>(null);
  const commands = commandsOf(desk);
  const groups = [...new Set(commands.map((c) => c.group))];
  const nameOf = (id: string) => {
    const command = all.find((c) => c.id === id);
    return command ? titleOf(command) : id;
  };
  const idle = (said = "") => setState({ kind: "idle", said });
  const give = (id: string, key: string, swap: boolean) => {
    change({ keys: rebound(all, id, key, swap) });
    idle(t("{command} is now {key}.", { command: nameOf(id), key: keyWords(key) }));
    requestAnimationFrame(() => document.getElementById(`key-${id}`)?.focus());
  };
  useEffect(() => {
    if (state.kind === "clash") asked.current?.querySelector("button")?.focus();
  }, [state]);

  const press = (id: string) => (event: KeyboardEvent) => {
    if (state.kind !== "press" || state.id !== id || MODIFIERS.includes(event.key)) return;
    if (event.key === "Tab") {
      idle();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") {
      idle();
      return;
    }
    const [key] = keyNames(event);
    if (!key) return;
    const why = whyTaken(key);
    if (why) {
      setState({
        kind: "press",
        id,
        refused: t("{key} cannot be used: {why}. Press another key.", { key: keyWords(key), why: t(why) }),
      });
      return;
    }
    const owner = all.find((c) => c.id !== id && keysOf(c).includes(key));
    if (owner) setState({ kind: "clash", id, key, owner });
    else give(id, key, false);
  };

  const changed = Object.keys(settings.value.keys).length;
  return (
    <Dialog
      title={t("Keys")}
      wide
      onClose={() => {
        if (state.kind === "idle") onClose();
        else idle();
      }}
    >
      <div class="row keyhead">
        <p class="small grow" role="status" data-testid="keys-said">
          {state.kind === "idle" && (state.said || t("Press a key to give its command another one."))}
          {state.kind === "press" && (
            <span class={state.refused ? "warn" : ""}>
              {state.refused ||
                t("Press the new key for {command}. Esc keeps the old one.", { command: nameOf(state.id) })}
            </span>
          )}
          {state.kind === "clash" && (
            <span class="warn">
              {t("{key} is also {command}.", { key: keyWords(state.key), command: titleOf(state.owner) })}
            </span>
          )}
        </p>
        {state.kind === "clash" && (
          <div class="row-tight" ref={asked}>
            <Button testid="keys-swap" onClick={() => give(state.id, state.key, true)}>
              {t("Swap the two")}
            </Button>
            <Button testid="keys-take" onClick={() => give(state.id, state.key, false)}>
              {t("Take it from there")}
            </Button>
            <Button kind="btn-ghost" onClick={() => idle()}>
              {t("Keep both as they were")}
            </Button>
          </div>
        )}
        {state.kind !== "clash" && (
          <>
            {changed > 0 && (
              <Button
                testid="keys-reset"
                onClick={() => {
                  change({ keys: {} });
                  idle(t("All keys are as they came."));
                }}
              >
                {t("All keys as they came")}
              </Button>
            )}
            <Button kind="btn-ghost" title={t("Print this sheet")} onClick={() => print()}>
              {t("Print")}
            </Button>
          </>
        )}
      </div>
      <div class="keys" data-testid="keys">
        {groups.map((group) => (
          <section key={group}>
            <h3>{t(group)}</h3>
            <ul>
              {commands
                .filter((c) => c.group === group)
                .map((c) => {
                  const waits = state.kind === "press" && state.id === c.id;
                  const words = c.keys.map(keyWords).join(" ") || t("none");
                  return (
                    <li key={c.id} data-testid={`key-of-${c.id}`}>
                      <span class="grow clip" title={titleOf(c)}>
                        {titleOf(c)}
                      </span>
                      {c.id in settings.value.keys && (
                        <button
                          type="button"
                          class="mini"
                          aria-label={t("Give {command} its own key back", { command: titleOf(c) })}
                          title={t("Its own key again")}
                          onClick={() => {
                            change({ keys: restored(all, c.id) });
                            idle(t("{command} has its own key again.", { command: titleOf(c) }));
                          }}
                        >
                          <Icon name="rotate-ccw" size="sm" />
                        </button>
                      )}
                      <button
                        type="button"
                        id={`key-${c.id}`}
                        class={`keybtn${waits ? " waits" : ""}`}
                        aria-pressed={waits}
                        aria-label={t("Key of {command}: {keys}", { command: titleOf(c), keys: words })}
                        onClick={() => setState({ kind: "press", id: c.id, refused: "" })}
                        onKeyDown={press(c.id)}
                        onBlur={() => {
                          if (waits) idle();
                        }}
                      >
                        {waits ? (
                          t("Press…")
                        ) : c.keys.length ? (
                          c.keys.flatMap((k, n) => [n > 0 && " ", <Key key={k} name={k} />])
                        ) : (
                          <span class="faint" aria-hidden="true">
                            +
                          </span>
                        )}
                      </button>
                    </li>
                  );
                })}
            </ul>
          </section>
        ))}
        <section>
          <h3>{t("Mouse")}</h3>
          <ul>
            {MOUSE.map(([what, how]) => (
              <li key={how}>
                <span class="grow">{t(what)}</span>
                <span class="faint">{t(how)}</span>
              </li>
            ))}
          </ul>
        </section>
      </div>
    </Dialog>
  );
}
