/** The key file of the site: opened by its passphrase, or made. */

import { type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { Upload } from "./upload";

/** Characters of a passphrase; vault.ts refuses shorter ones. */
const LEAST = 12;

export function KeyPart({ upload }: { readonly upload: Upload }): JSX.Element {
  const isNew = useSignal(false);
  const differs = useSignal(false);
  const missing = useSignal(false);
  const short = useSignal(false);
  const file = useRef<HTMLInputElement>(null);
  const passphrase = useRef<HTMLInputElement>(null);
  const again = useRef<HTMLInputElement>(null);
  if (upload.isOpen.value) {
    return <IsOpen />;
  }
  const open = async (event: Event) => {
    event.preventDefault();
    const words = passphrase.current?.value ?? "";
    const chosen = file.current?.files?.[0] ?? null;
    missing.value = !isNew.value && !chosen;
    short.value = isNew.value && words.length < LEAST;
    differs.value = isNew.value && !short.value && words !== again.current?.value;
    if (missing.value || short.value || differs.value) return;
    await upload.open(isNew.value ? null : chosen, words);
  };
  return (
    <form class="keypart" onSubmit={(event) => void open(event)} data-stays novalidate>
      <Ways isNew={isNew} />
      <div class="fields fields-2">
        {!isNew.value && (
          <div class="field">
            <label for="key-file">Key file</label>
            <input id="key-file" ref={file} type="file" accept=".json,application/json" aria-invalid={missing.value} />
            {missing.value && <span class="error">Choose the key file, or make a new one.</span>}
          </div>
        )}
        <div class="field">
          <label for="key-passphrase">{isNew.value ? "New passphrase" : "Passphrase"}</label>
          <input
            id="key-passphrase"
            ref={passphrase}
            type="password"
            autocomplete="off"
            aria-invalid={short.value && isNew.value}
          />
          {isNew.value && <Least isError={short.value} />}
        </div>
        {isNew.value && (
          <div class="field">
            <label for="key-again">New passphrase again</label>
            <input id="key-again" ref={again} type="password" autocomplete="off" aria-invalid={differs.value} />
            {differs.value && <span class="error">The two passphrases differ; type them again.</span>}
          </div>
        )}
      </div>
      {isNew.value && <OneForASite />}
      <div class="actions">
        <button class="btn" disabled={upload.busy.value !== null}>
          {isNew.value ? "Make key file" : "Open key file"}
        </button>
      </div>
    </form>
  );
}

function Ways({ isNew }: { readonly isNew: Signal<boolean> }): JSX.Element {
  return (
    <fieldset>
      <legend>Key file of the site</legend>
      <div class="choices">
        <Way is={!isNew.value} pick={() => (isNew.value = false)} words="I have one (vault.json)" />
        <Way is={isNew.value} pick={() => (isNew.value = true)} words="Make a new one" />
      </div>
    </fieldset>
  );
}

function Least({ isError }: { readonly isError: boolean }): JSX.Element {
  return (
    <span class={isError ? "error" : "hint"}>At least {LEAST} characters. Nobody can replace it: keep it safe.</span>
  );
}

function Way({ is, pick, words }: { readonly is: boolean; readonly pick: () => void; readonly words: string }) {
  return (
    <label>
      <input type="radio" name="key-way" checked={is} onChange={pick} />
      {words}
    </label>
  );
}

function OneForASite(): JSX.Element {
  return (
    <p class="hint">
      One key file for a site: with another one the same patient gets another code. If your site has one already, for
      example of <code>manage.py send</code>, use it.
    </p>
  );
}

function IsOpen(): JSX.Element {
  return (
    <div class="note note-good">
      <span>The key file is open on this page, until you leave it.</span>
    </div>
  );
}
