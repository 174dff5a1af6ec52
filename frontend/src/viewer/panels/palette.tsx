/** Find a command by words and run it. */

import { useMemo, useState } from "preact/hooks";
import { commandsOf, titleOf, type Command } from "../commands";
import { search } from "../commands/search";
import { useDesk } from "../desk";
import { t } from "../language";
import { change, settings } from "../settings";
import { Key } from "./controls";
import { Dialog } from "./dialog";

const MOST_RECENT = 8,
  MOST_SHOWN = 50;

export function Palette({ onClose }: { readonly onClose: () => void }) {
  const desk = useDesk();
  const all = useMemo(() => commandsOf(desk).filter((c) => (c.when?.() ?? true) && c.id !== "palette"), [desk]);
  const recent = useMemo(() => settings.value.recent, []);
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const found = search(all, text, recent, titleOf).slice(0, MOST_SHOWN);
  const go = (to: number) => {
    const n = Math.min(Math.max(to, 0), found.length - 1);
    setAt(n);
    document.getElementById(`cmd-${found[n]?.id}`)?.scrollIntoView({ block: "nearest" });
  };
  const run = (command: Command | undefined) => {
    if (!command) return;
    change({ recent: [command.id, ...settings.value.recent.filter((id) => id !== command.id)].slice(0, MOST_RECENT) });
    onClose();
    // After the dialog has gone and given the focus back: a command may open another one.
    requestAnimationFrame(() => command.run());
  };
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
        onInput={(e) => {
          setText(e.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={(e) => {
          const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
          if (e.key in steps) {
            e.preventDefault();
            go(at + steps[e.key]);
          }
          if (e.key === "Enter" && !e.isComposing) {
            e.preventDefault();
            run(found[at]);
          }
        }}
      />
      <ul class="palette" id="palette-list" role="listbox" aria-label={t("Commands")}>
        {found.map((c, n) => (
          <li key={c.id} id={`cmd-${c.id}`} role="option" aria-selected={n === at} onClick={() => run(c)}>
            <span class="grow">{titleOf(c)}</span>
            {!text && recent.includes(c.id) ? (
              <span class="tiny faint">{t("recent")}</span>
            ) : (
              <span class="tiny faint">{t(c.group)}</span>
            )}
            {c.keys.map((k) => (
              <Key key={k} name={k} />
            ))}
          </li>
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
