/** Dialogs that wait for the person, the sheet of keys, the palette, settings, notices, and what to do on a conflict. */

import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { commandsOf, type Command } from "../commands";
import { useDesk } from "../desk";
import { DEFAULTS, change, settings, type Settings } from "../settings";
import type { Asking } from "../work";
import { Button, Kbd, Switch } from "./controls";
import { Icon } from "./icons";
import { LogIn } from "./login";
import { SavingNotes } from "./saving";

/** A modal dialog of the browser: focus stays inside, Escape closes. */
export function Dialog({ title, wide, onClose, children }: { readonly title: string; readonly wide?: boolean; readonly onClose: () => void; readonly children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (element && !element.open) element.showModal();
    element?.querySelector<HTMLElement>("[data-focus]")?.focus();
    return () => element?.close();
  }, []);
  return (
    <dialog ref={dialog} class={`dialog${wide ? " wide" : ""}`} aria-labelledby="dialog-title" onCancel={(e) => { e.preventDefault(); onClose(); }} onPointerDown={(e) => { if (e.target === e.currentTarget) onClose(); }}>
      <div class="dialog-in">
        <header class="row between"><h2 id="dialog-title">{title}</h2><Button icon="x" kind="btn-ghost" label="Close" onClick={onClose} /></header>
        {children}
      </div>
    </dialog>
  );
}

export function Dialogs() {
  const desk = useDesk();
  const asking = desk.work.asking.value;
  const close = () => { desk.work.asking.value = null; };
  const closeSheet = () => { desk.sheet.value = null; };
  return <>
    {asking && <Asked key={asking.kind} asking={asking} onClose={close} />}
    {!asking && desk.sheet.value === "keys" && <Keys onClose={closeSheet} />}
    {!asking && desk.sheet.value === "palette" && <Palette onClose={closeSheet} />}
    {!asking && desk.sheet.value === "settings" && <SettingsSheet onClose={closeSheet} />}
    <Notice />
  </>;
}

function Asked({ asking, onClose }: { readonly asking: Asking; readonly onClose: () => void }) {
  const desk = useDesk();
  const { work, session } = desk;
  switch (asking.kind) {
    case "skip":
    case "block":
      return <TextDialog
        title={asking.kind === "skip" ? "Skip this scan" : "Block this scan"} label={asking.kind === "skip" ? "Why is it skipped?" : "What is wrong with it?"}
        hint={asking.kind === "skip" ? "It goes back to the coordinator, who sees the reason." : "For example: wrong series, artefact, burnt-in text. The coordinator sees it."}
        action={asking.kind === "skip" ? "Skip scan" : "Block scan"} onClose={onClose} onDone={(text) => { onClose(); void work.giveReason(asking.kind, text); }}
      />;
    case "comment":
      return <TextDialog
        title={`Comment on slice ${asking.ijk[2] + 1}`} label="What should be looked at here?" hint={`Pinned to voxel ${asking.ijk.join(", ")}.`} action="Add comment" onClose={onClose}
        onDone={(text) => { onClose(); desk.tab.value = "comments"; session.tool.value = "select"; void work.addComment(text, asking.ijk); }}
      />;
    case "log-in": return <LogIn onClose={onClose} />;
    case "signature": return <Signature asking={asking} onClose={onClose} />;
    case "interlocks": return (
      <Dialog title="Not submitted yet" onClose={onClose}>
        <ul class="locks">
          {asking.found.map((lock) => (
            <li key={lock.code + lock.message}><Icon name="triangle-alert" /><span class="grow">{lock.message}</span><button type="button" class="link" onClick={() => desk.jump(lock.jump)}>Go to it</button></li>
          ))}
        </ul>
        <footer class="row">
          <span class="grow" /><Button onClick={onClose}>Back to the scan</Button>
          {asking.found.every((l) => l.blocking === false) && <Button kind="btn-primary" onClick={() => { onClose(); void work.submit(asking.found.map((l) => l.code)); }}>Submit with these warnings</Button>}
        </footer>
      </Dialog>
    );
    case "done": return (
      <Dialog title={asking.text} onClose={() => location.assign("/")}>
        <footer class="row"><span class="grow" /><a class="btn btn-primary" href={session.context.stage === "review" ? "/reviews/" : "/worklist/"}>{session.context.stage === "review" ? "Back to the reviews" : "Back to my work"}</a></footer>
      </Dialog>
    );
  }
}

interface TextProps { readonly title: string; readonly label: string; readonly hint: string; readonly action: string; readonly onClose: () => void; readonly onDone: (text: string) => void }

function TextDialog({ title, label, hint, action, onClose, onDone }: TextProps) {
  const [text, setText] = useState("");
  const done = () => { if (text.trim()) onDone(text.trim()); };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={(e) => { e.preventDefault(); done(); }}>
        <div class="field">
          <label for="dialog-text">{label}</label>
          <textarea id="dialog-text" class="input" rows={3} data-focus maxLength={2000} data-testid="dialog-text" onInput={(e) => setText(e.currentTarget.value)} onKeyDown={(e) => { if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); done(); } }} />
          <p class="hint">{hint}</p>
        </div>
        <footer class="row"><span class="grow" /><Button onClick={onClose}>Cancel</Button><button type="submit" class="btn btn-primary" data-testid="dialog-done" disabled={!text.trim()}>{action} <Kbd keys="Ctrl+Enter" /></button></footer>
      </form>
    </Dialog>
  );
}

function Signature({ asking, onClose }: { readonly asking: Extract<Asking, { kind: "signature" }>; readonly onClose: () => void }) {
  const { work, session } = useDesk();
  const field = useRef<HTMLInputElement>(null);
  return (
    <Dialog title="Sign with your password" onClose={onClose}>
      <form onSubmit={(e) => { e.preventDefault(); const password = field.current?.value ?? ""; if (password) void work.verdict(asking.verdict, password); }}>
        <p class="muted">Your verdict on {session.context.scan.code} is kept under your name.</p>
        <input class="vh" type="text" autocomplete="username" value={session.context.user} tabIndex={-1} aria-hidden="true" readOnly />
        <div class="field">
          <label for="password">Password of {session.context.user}</label>
          <input ref={field} id="password" class="input" type="password" autocomplete="current-password" data-focus data-testid="password" aria-invalid={asking.wrong} aria-describedby={asking.wrong ? "password-error" : undefined} />
          {asking.wrong && <p class="error" id="password-error"><Icon name="circle-x" size="sm" />This is not the password.</p>}
        </div>
        <footer class="row"><span class="grow" /><Button onClick={onClose}>Cancel</Button><button type="submit" class="btn btn-primary" data-testid="sign">{asking.verdict === "return" ? "Sign and return" : "Sign and approve"}</button></footer>
      </form>
    </Dialog>
  );
}

function Keys({ onClose }: { readonly onClose: () => void }) {
  const desk = useDesk();
  const commands = useMemo(() => commandsOf(desk), [desk]);
  const groups = [...new Set(commands.map((c) => c.group))];
  return (
    <Dialog title="Keys" wide onClose={onClose}>
      <div class="keys" data-testid="keys">
        {groups.map((group) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>{commands.filter((c) => c.group === group && c.keys.length > 0).map((c) => <div key={c.id}><dt>{c.title}</dt><dd>{c.keys.map((k) => <Kbd key={k} keys={k} />)}</dd></div>)}</dl>
          </section>
        ))}
        <section>
          <h3>Mouse</h3>
          <dl>
            {[["Wheel", "Slices"], ["Shift + wheel", "Radius of the brush"], ["Alt + wheel", "Tolerance"], ["Ctrl + wheel", "Zoom"], ["Right button", "Window"], ["Middle button, or Space", "Move the image"], ["Esc while painting", "Drop the stroke"]].map(([how, what]) => <div key={how}><dt>{what}</dt><dd class="faint">{how}</dd></div>)}
          </dl>
        </section>
      </div>
    </Dialog>
  );
}

function Palette({ onClose }: { readonly onClose: () => void }) {
  const desk = useDesk();
  const all = useMemo(() => commandsOf(desk).filter((c) => (c.when?.() ?? true) && c.id !== "palette"), [desk]);
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const words = text.toLowerCase().split(/\s+/);
  const found = all.filter((c) => words.every((w) => c.title.toLowerCase().includes(w)));
  const run = (command: Command | undefined) => { if (command) { onClose(); command.run(); } };
  return (
    <Dialog title="Find a command" onClose={onClose}>
      <input
        class="input" data-focus role="combobox" aria-expanded="true" aria-controls="palette-list" aria-label="Command" aria-activedescendant={found[at] ? `cmd-${found[at].id}` : undefined} data-testid="palette"
        onInput={(e) => { setText(e.currentTarget.value); setAt(0); }}
        onKeyDown={(e) => {
          if (e.key === "ArrowDown" || e.key === "ArrowUp") { e.preventDefault(); setAt((n) => Math.min(Math.max(n + (e.key === "ArrowDown" ? 1 : -1), 0), found.length - 1)); }
          if (e.key === "Enter") { e.preventDefault(); run(found[at]); }
        }}
      />
      <ul class="palette" id="palette-list" role="listbox" aria-label="Commands">
        {found.slice(0, 12).map((c, n) => <li key={c.id} id={`cmd-${c.id}`} role="option" aria-selected={n === at} onClick={() => run(c)}><span class="grow">{c.title}</span>{c.keys.map((k) => <Kbd key={k} keys={k} />)}</li>)}
      </ul>
    </Dialog>
  );
}

const RENDERING: readonly (readonly [Settings["rendering"], string])[] = [["auto", "Automatic"], ["gpu", "Graphics card"], ["cpu", "Processor"]];

function SettingsSheet({ onClose }: { readonly onClose: () => void }) {
  const desk = useDesk();
  const now = settings.value;
  return (
    <Dialog title="Settings" onClose={onClose}>
      <p class="small faint">Kept in this browser, for every scan.</p>
      <Switch id="set-smooth" label="Smooth pixels" on={now.smooth} onChange={(smooth) => change({ smooth })} />
      <Switch id="set-crosshair" label="Crosshair" on={now.crosshair} keys="X" onChange={(crosshair) => change({ crosshair })} />
      <Switch id="set-preview" label="Live preview of the region-growing brush" on={now.livePreview} onChange={(livePreview) => change({ livePreview })} />
      <div class="field">
        <label for="rendering">Images are drawn by</label>
        <select id="rendering" class="select" value={now.rendering} onChange={(e) => change({ rendering: e.currentTarget.value as Settings["rendering"] })}>
          {RENDERING.map(([value, words]) => <option key={value} value={value}>{words}</option>)}
        </select>
        <p class="hint">{desk.graphics === "hardware" ? "This browser can use the graphics card." : desk.graphics === "software" ? "This browser only imitates a graphics card: the processor is faster." : "This browser has no WebGL: images are drawn by the processor, nothing is missing."} Takes effect with the next scan.</p>
      </div>
      <footer class="row"><Button onClick={() => { settings.value = { ...DEFAULTS }; }}>Back to the defaults</Button></footer>
    </Dialog>
  );
}

/** News at the bottom; what hinders saving stays until it is settled. */
function Notice() {
  const { session } = useDesk();
  const notice = session.notice.value;
  useEffect(() => {
    if (!notice || notice.tone === "bad") return;
    const timer = setTimeout(() => { session.notice.value = null; }, 9000);
    return () => clearTimeout(timer);
  }, [notice]);
  return (
    <div class="notices" aria-live="polite">
      <SavingNotes />
      {notice && (
        <div class={`note note-${notice.tone === "info" ? "accent" : notice.tone}`} data-testid="notice">
          <Icon name={notice.tone === "info" ? "info" : "triangle-alert"} /><span class="grow">{notice.text}</span>
          <Button icon="x" kind="btn-ghost" label="Dismiss" onClick={() => { session.notice.value = null; }} />
        </div>
      )}
    </div>
  );
}
