/** What becomes of each series and of its attributes, before anything is sent; then how far sending is. */

import type { JSX } from "preact";
import type { Judged, SetAside } from "../../deidentify/series";
import type { Row } from "./row";
import type { Upload } from "./upload";

const KEY_NAME = "vault.json";

export function ListPart({ upload }: { readonly upload: Upload }): JSX.Element {
  const rows = upload.rows.value;
  const chosen = upload.chosen.value.length;
  if (!rows.length) {
    const says =
      chosen && !upload.isOpen.value
        ? "Open the key file: then you see what becomes of each series, before anything is sent."
        : chosen && upload.judged.value
          ? "There is no DICOM and no NIfTI among the files. Choose the folder that holds the series."
          : "Nothing is chosen yet. You will see here what becomes of each series, before anything is sent.";
    return upload.busy.value ? (
      <></>
    ) : (
      <div class="empty empty-small">
        <p>{says}</p>
      </div>
    );
  }
  return (
    <>
      {!upload.isOpen.value && chosen > rows.length && (
        <div class="note note-warn">
          <span>Open the key file for the DICOM files; NIfTI goes without it.</span>
        </div>
      )}
      <ul class="sending" aria-label="What becomes of each series">
        {rows.map((row) => (
          <One key={row.id} row={row} />
        ))}
      </ul>
      <Attributes upload={upload} />
      <Actions upload={upload} />
    </>
  );
}

const WORDS = {
  ready: ["queued", "circle-dashed", "Ready"],
  working: ["open", "hourglass", "Sending"],
  sent: ["approved", "circle-check", "Sent"],
  refused: ["blocked", "circle-x", "Not sent"],
} as const;

function One({ row }: { readonly row: Row }): JSX.Element {
  const [tint, symbol, state] = WORDS[row.state];
  const word = row.state === "refused" && row.isSent ? "Refused by the server" : state;
  return (
    <li data-state={row.state}>
      <div class="grow">
        <b class="medium">{row.what}</b>{" "}
        <span class="muted">{[row.size, row.thickness].filter(Boolean).join(", ")}</span>
        <div class="small faint path">{row.from}</div>
        {row.says && <div class={`small says${row.state === "refused" ? " bad" : ""}`}>{sentence(row)}</div>}
        {row.scans.map(({ id, code }) => (
          <a key={id} class="small scan" href={`/scans/${id}/`}>
            {code}
          </a>
        ))}
        {row.state !== "refused" && row.setAside.map((aside) => <Aside key={aside.code} aside={aside} />)}
        {row.state === "working" && (
          <div class="meter">
            <i style={{ "--v": `${100 * row.share}%`, "--c": "var(--accent-solid)" }} />
          </div>
        )}
      </div>
      <span class={`state st-${tint}`}>
        <svg class="icon" width="16" height="16" aria-hidden="true" focusable="false">
          <use href={`#icon-${symbol}`} />
        </svg>
        {word}
      </span>
    </li>
  );
}

function sentence({ says, state, share }: Row): string {
  const words = state === "working" && share > 0 ? `${says}, ${Math.round(100 * share)} %` : says;
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function Aside({ aside }: { readonly aside: SetAside }): JSX.Element {
  return (
    <div class="small says warn" data-code={aside.code}>
      {aside.files === 1 ? "1 file stays here" : `${aside.files} files stay here`}: {aside.reason}
    </div>
  );
}

function Attributes({ upload }: { readonly upload: Upload }): JSX.Element | null {
  const judged = upload.judged.value;
  if (!judged) return null;
  const rows = Object.entries(judged.classes);
  const left = judged.notDicom + judged.unreadable;
  const sum = (name: "kept" | "changed" | "removed") => rows.reduce((all, [, counts]) => all + counts[name], 0);
  return (
    <>
      {left > 0 && <p class="small muted">{leftOut(judged)}</p>}
      {rows.length > 0 && (
        <details class="attributes">
          <summary>
            <svg class="icon" width="16" height="16" aria-hidden="true" focusable="false">
              <use href="#icon-chevron-down" />
            </svg>
            Attributes of these files: {sum("kept")} kept, {sum("changed")} changed, {sum("removed")} removed
          </summary>
          <div class="table-scroll" tabIndex={0} role="region" aria-label="Attributes by class">
            <table class="table">
              <thead>
                <tr>
                  <th scope="col">Class</th>
                  <th scope="col" class="num">
                    Kept
                  </th>
                  <th scope="col" class="num">
                    Changed
                  </th>
                  <th scope="col" class="num">
                    Removed
                  </th>
                </tr>
              </thead>
              <tbody>
                {rows.map(([name, { kept, changed, removed }]) => (
                  <tr key={name}>
                    <td>{name}</td>
                    <td class="num">{kept}</td>
                    <td class="num">{changed}</td>
                    <td class="num">{removed}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
    </>
  );
}

/** How many files are none that could be sent. */
function leftOut({ notDicom, unreadable }: Judged): string {
  const other = notDicom && `${notDicom} ${notDicom === 1 ? "file is" : "files are"} no DICOM`;
  const damaged = unreadable && `${unreadable} ${unreadable === 1 ? "file is" : "files are"} damaged`;
  return `${[other, damaged].filter(Boolean).join(", ")}: not sent.`;
}

function Actions({ upload }: { readonly upload: Upload }): JSX.Element {
  const ready = upload.rows.value.filter(({ state }) => state === "ready").length;
  if (upload.isSending) {
    return (
      <div class="actions">
        <span class="small faint grow">Keep this page open until everything is sent.</span>
        <button class="btn" type="button" onClick={() => upload.cancel()}>
          Cancel
        </button>
        {/* Stands where Send stood: the second press of a double click cancels nothing. */}
        <button class="btn btn-primary" type="button" disabled>
          Sending…
        </button>
      </div>
    );
  }
  if (upload.mustSave.value) {
    return (
      <div class="actions">
        <span class="small grow">
          Save the key file first, in place of the old one: it holds the key and whose code is whose.
        </span>
        <button class="btn btn-primary" type="button" onClick={() => void saveKey(upload)}>
          Save key file
        </button>
      </div>
    );
  }
  return (
    <div class="actions">
      <span class="small faint grow">
        {ready ? "What is listed as ready has not left this computer yet." : "Nothing is left to send."}
      </span>
      {ready > 0 && (
        <button class="btn btn-primary" type="button" onClick={() => void upload.send()}>
          {ready === 1 ? "Send 1 item" : `Send ${ready} items`}
        </button>
      )}
    </div>
  );
}

async function saveKey(upload: Upload): Promise<void> {
  const file = await upload.keyFile();
  if (!file) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = KEY_NAME;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
