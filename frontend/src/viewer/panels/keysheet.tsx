/** The sheet of keys: every command by group with its keys, which can be set anew. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { allCommands, commandsOf, titleOf, type Command } from "../commands";
import { keyNames, keyWords, keysOf, rebound, restored, whyTaken } from "../../ground/shortcuts";
import { useDesk } from "../desk/desk";
import { msg, t } from "../../ground/language";
import { change, settings } from "../../ground/settings";
import { Button, Key } from "../controls/controls";
import { Dialog } from "../controls/dialog";
import { Icon } from "../controls/icons";

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

/** The state of the sheet, and all that changes it. */
function useKeys() {
  const desk = useDesk();
  const all = useMemo(() => allCommands(desk), [desk]);
  const [state, setState] = useState<State>({ kind: "idle", said: "" });
  const nameOf = (id: string) => {
    const command = all.find((c) => c.id === id);
    return command ? titleOf(command) : id;
  };
  const idle = (said = "") => setState({ kind: "idle", said });
  const give = (id: string, key: string, swap: boolean) => {
    change({ keys: rebound(all, id, key, swap) });
    idle(t("{command} is now {key}.", { command: nameOf(id), key: keyWords(key) }));
    desk.attention.bring(`key-${id}`);
  };
  const giveBack = (command: Command) => {
    change({ keys: restored(all, command.id) });
    idle(t("{command} has its own key again.", { command: titleOf(command) }));
  };
  const wait = (id: string, refused = "") => setState({ kind: "press", id, refused });
  const press = (id: string, event: KeyboardEvent) => {
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
    const owner = all.find((c) => c.id !== id && keysOf(c).includes(key));
    if (why) wait(id, t("{key} cannot be used: {why}. Press another key.", { key: keyWords(key), why: t(why) }));
    else if (owner) setState({ kind: "clash", id, key, owner });
    else give(id, key, false);
  };
  return { state, nameOf, idle, give, giveBack, wait, press };
}

type Keys = ReturnType<typeof useKeys>;

export function KeySheet({ onClose }: { readonly onClose: () => void }) {
  const keys = useKeys();
  const commands = commandsOf(useDesk());
  const groups = [...new Set(commands.map((c) => c.group))];
  return (
    <Dialog
      title={t("Keys")}
      wide
      onClose={() => {
        if (keys.state.kind === "idle") onClose();
        else keys.idle();
      }}
    >
      <div class="row keyhead">
        <Said keys={keys} />
        {keys.state.kind === "clash" ? <Clash keys={keys} clash={keys.state} /> : <SheetActions keys={keys} />}
      </div>
      <div class="keys" data-testid="keys">
        {groups.map((group) => (
          <section key={group}>
            <h3>{t(group)}</h3>
            <ul>
              {commands
                .filter((c) => c.group === group)
                .map((c) => (
                  <Row key={c.id} keys={keys} command={c} />
                ))}
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

/** What the sheet has to say. */
function Said({ keys: { state, nameOf } }: { readonly keys: Keys }) {
  return (
    <p class="small grow" role="status" data-testid="keys-said">
      {state.kind === "idle" && (state.said || t("Press a key to give its command another one."))}
      {state.kind === "press" && (
        <span class={state.refused ? "warn" : ""}>
          {state.refused || t("Press the new key for {command}. Esc keeps the old one.", { command: nameOf(state.id) })}
        </span>
      )}
      {state.kind === "clash" && (
        <span class="warn">
          {t("{key} is also {command}.", { key: keyWords(state.key), command: titleOf(state.owner) })}
        </span>
      )}
    </p>
  );
}

/** The key belongs to another command: what shall become of that one. */
function Clash({
  keys: { give, idle },
  clash: { id, key },
}: {
  readonly keys: Keys;
  readonly clash: Extract<State, { kind: "clash" }>;
}) {
  const asked = useRef<HTMLDivElement>(null);
  useEffect(() => asked.current?.querySelector("button")?.focus(), []);
  return (
    <div class="row-tight" ref={asked}>
      <Button testid="keys-swap" onClick={() => give(id, key, true)}>
        {t("Swap the two")}
      </Button>
      <Button testid="keys-take" onClick={() => give(id, key, false)}>
        {t("Take it from there")}
      </Button>
      <Button kind="btn-ghost" onClick={() => idle()}>
        {t("Keep both as they were")}
      </Button>
    </div>
  );
}

function SheetActions({ keys: { idle } }: { readonly keys: Keys }) {
  return (
    <>
      {Object.keys(settings.value.keys).length > 0 && (
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
  );
}

/** A command with its key, which is a button that waits for another one. */
function Row({ keys, command: c }: { readonly keys: Keys; readonly command: Command }) {
  const { attention } = useDesk();
  const { state, idle, giveBack, wait, press } = keys;
  const waits = state.kind === "press" && state.id === c.id;
  const words = c.keys.map(keyWords).join(" ") || t("none");
  return (
    <li data-testid={`key-of-${c.id}`}>
      <span class="grow">{titleOf(c)}</span>
      {c.id in settings.value.keys && (
        <button
          type="button"
          class="mini"
          aria-label={t("Give {command} its own key back", { command: titleOf(c) })}
          title={t("Its own key again")}
          onClick={() => giveBack(c)}
        >
          <Icon name="rotate-ccw" size="sm" />
        </button>
      )}
      <button
        type="button"
        ref={attention.ref(`key-${c.id}`)}
        class={`keybtn${waits ? " waits" : ""}`}
        aria-pressed={waits}
        aria-label={t("Key of {command}: {keys}", { command: titleOf(c), keys: words })}
        onClick={() => wait(c.id)}
        onKeyDown={(event) => press(c.id, event)}
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
}
