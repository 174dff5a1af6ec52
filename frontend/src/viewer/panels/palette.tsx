/** Find a command by words and run it. */

import { useMemo, useRef, useState } from "preact/hooks";
import { commandsOf, titleOf, type Command } from "../commands";
import { search } from "../commands/search";
import { useDesk } from "../desk/desk";
import { t } from "../../ground/language";
import { change, settings } from "../../ground/settings";
import { Key } from "../controls/controls";
import { Dialog } from "../controls/dialog";

const MOST_RECENT = 8,
  MOST_SHOWN = 50;

const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };

/** The commands that fit what is typed, which of them is at hand, and how one is run. */
function useSearch(onClose: () => void) {
  const desk = useDesk();
  const all = useMemo(() => commandsOf(desk).filter((c) => (c.when?.() ?? true) && c.id !== "palette"), [desk]);
  const recent = useMemo(() => settings.value.recent, []);
  const list = useRef<HTMLUListElement>(null);
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const found = search(all, text, recent, titleOf).slice(0, MOST_SHOWN);
  const go = (to: number) => {
    const n = Math.min(Math.max(to, 0), found.length - 1);
    setAt(n);
    list.current?.children[n]?.scrollIntoView({ block: "nearest" });
  };
  const run = (command: Command | undefined) => {
    if (!command) return;
    change({ recent: [command.id, ...settings.value.recent.filter((id) => id !== command.id)].slice(0, MOST_RECENT) });
    onClose();
    // After the dialog has gone and given the focus back: a command may open another one.
    requestAnimationFrame(() => command.run());
  };
  const type = (typed: string) => {
    setText(typed);
    setAt(0);
  };
  const press = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (step !== undefined) {
      event.preventDefault();
      go(at + step);
    }
    if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      run(found[at]);
    }
  };
  return { list, found, at, run, type, press, isRecent: ({ id }: Command) => !text && recent.includes(id) };
}

export function Palette({ onClose }: { readonly onClose: () => void }) {
  const { list, found, at, run, type, press, isRecent } = useSearch(onClose);
  return (
    <Dialog title={t("Find a command")} onClose={onClose}>
      <input
        class="input"
        type="text"
        data-focus
        role="combobox"
        aria-expanded="true"
        aria-autocomplete="list"
        aria-controls="palette-list"
        aria-label={t("Command")}
        placeholder={t("What do you want to do?")}
        aria-activedescendant={found[at] ? `cmd-${found[at].id}` : undefined}
        autocomplete="off"
        spellcheck={false}
        data-testid="palette"
        onInput={(e) => type(e.currentTarget.value)}
        onKeyDown={press}
      />
      <ul class="palette" id="palette-list" ref={list} role="listbox" aria-label={t("Commands")}>
        {found.map((c, n) => (
          <Option key={c.id} command={c} selected={n === at} isRecent={isRecent(c)} onRun={() => run(c)} />
        ))}
      </ul>
      <p class="vh" role="status">
        {found.length === 0 ? t("No command is called so.") : t("{n} commands", { n: found.length })}
      </p>
      {found.length === 0 && (
        <p class="small faint" aria-hidden="true">
          {t("No command is called so.")}
        </p>
      )}
    </Dialog>
  );
}

function Option({
  command: c,
  selected,
  isRecent,
  onRun,
}: {
  readonly command: Command;
  readonly selected: boolean;
  readonly isRecent: boolean;
  readonly onRun: () => void;
}) {
  return (
    <li id={`cmd-${c.id}`} role="option" aria-selected={selected} onClick={onRun}>
      <span class="grow">{titleOf(c)}</span>
      <span class="tiny faint">{isRecent ? t("recent") : t(c.group)}</span>
      {c.keys.map((k) => (
        <Key key={k} name={k} />
      ))}
    </li>
  );
}
