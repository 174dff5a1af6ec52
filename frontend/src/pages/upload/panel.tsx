/** The panel of the upload page: where to, the key, the files, what becomes of them, and sending. */

import { useSignal } from "@preact/signals";
import type { JSX, TargetedEvent } from "preact";
import { KeyPart } from "./keypart";
import { ListPart } from "./listpart";
import { chosenOf, droppedOf } from "./picking";
import type { Upload } from "./upload";

/** A site or a campaign: how the server calls it, and people. */
export interface Choice {
  readonly value: string;
  readonly words: string;
  readonly isHere: boolean;
}

interface Where {
  readonly sites: readonly Choice[];
  readonly campaigns: readonly Choice[];
}

export function Panel({ upload, sites, campaigns }: { readonly upload: Upload } & Where): JSX.Element {
  const site = useSignal(first(sites));
  const campaign = useSignal(first(campaigns));
  const isBusy = upload.busy.value !== null || upload.isSending;
  const aim = () => void upload.aim(site.value, campaign.value);
  return (
    <>
      <header>
        <h2>De-identify here and send</h2>
      </header>
      <div class="formpanel">
        <p class="muted">
          Files as they come from the scanner. This page de-identifies them on this computer, by the site’s key file and
          the rules of <code>manage.py send</code>; no original, no key and no passphrase leaves it.
        </p>
        <div class="fields fields-2">
          <Select id="clean-site" label="Site" of={sites} value={site} onPick={aim} disabled={isBusy} />
          <Select id="clean-campaign" label="Campaign" of={campaigns} value={campaign} onPick={aim} disabled={isBusy} />
        </div>
        <KeyPart upload={upload} />
        <Files upload={upload} />
        <Told upload={upload} />
        <ListPart upload={upload} />
      </div>
    </>
  );
}

export const first = (of: readonly Choice[]): string => (of.find(({ isHere }) => isHere) ?? of[0])?.value ?? "";

interface Selecting {
  readonly id: string;
  readonly label: string;
  readonly of: readonly Choice[];
  readonly value: { value: string };
  readonly onPick: () => void;
  readonly disabled: boolean;
}

function Select({ id, label, of, value, onPick, disabled }: Selecting): JSX.Element {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={value.value}
        disabled={disabled}
        onChange={(event) => {
          value.value = event.currentTarget.value;
          onPick();
        }}
      >
        {of.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.words}
          </option>
        ))}
      </select>
    </div>
  );
}

function Files({ upload }: { readonly upload: Upload }): JSX.Element {
  const over = useSignal(false);
  const count = upload.chosen.value.length;
  const take = (event: TargetedEvent<HTMLInputElement>) => {
    const files = chosenOf(event.currentTarget.files ?? []);
    event.currentTarget.value = "";
    if (files.length) void upload.choose(files);
  };
  const isBusy = upload.busy.value !== null || upload.isSending;
  return (
    <div
      class={`dropzone${over.value ? " is-over" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        over.value = true;
      }}
      onDragLeave={() => (over.value = false)}
      onDrop={(event) => {
        event.preventDefault();
        over.value = false;
        if (isBusy || !event.dataTransfer) return;
        void droppedOf(event.dataTransfer).then((files) => (files.length ? upload.choose(files) : undefined));
      }}
    >
      <p>
        {count
          ? `${count} ${count === 1 ? "file" : "files"} chosen. Drop others here, or choose again.`
          : "Drop a folder, files or a zip here."}
      </p>
      <div class="dropzone-ways">
        <Way words="Choose a folder" take={take} disabled={isBusy} isFolder />
        <Way words="Choose files" take={take} disabled={isBusy} />
      </div>
    </div>
  );
}

interface WayOf {
  readonly words: string;
  readonly take: (event: TargetedEvent<HTMLInputElement>) => void;
  readonly disabled: boolean;
  readonly isFolder?: boolean;
}

function Way({ words, take, disabled, isFolder = false }: WayOf): JSX.Element {
  const asFolder = (input: HTMLInputElement | null) => {
    if (input) input.webkitdirectory = isFolder;
  };
  return (
    <label class={`btn${disabled ? " is-off" : ""}`}>
      <input type="file" class="vh" multiple ref={asFolder} disabled={disabled} onChange={take} />
      {words}
    </label>
  );
}

/** What the page does now, and what went wrong. */
function Told({ upload }: { readonly upload: Upload }): JSX.Element {
  const busy = upload.busy.value;
  const fault = upload.fault.value;
  const share = busy?.of ? busy.done / busy.of : 0;
  return (
    <>
      <div role="status" class="told">
        {busy && (
          <>
            <span>{busy.of ? `${busy.says}: ${busy.done} of ${busy.of}` : `${busy.says} …`}</span>
            <div class="meter">
              <i style={{ "--v": `${100 * share}%`, "--c": "var(--accent-solid)" }} />
            </div>
          </>
        )}
      </div>
      {fault && (
        <div class="note note-bad" role="alert" data-code={fault.code}>
          <span>{fault.says}</span>
        </div>
      )}
    </>
  );
}
