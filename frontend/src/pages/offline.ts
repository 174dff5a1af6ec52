/** The work list without a network: batches to take along, marks on what is here, and what waits to be sent. */

import type { Homecoming, Waiting } from "../offline/home";
import type { Intent } from "../offline/intents";
import { BatchPanel, button, make } from "../offline/panel";
import { personVault } from "../offline/vault";
import { keptBatches, wipeOthers, wipeShelves } from "../offline/registry";
import { t } from "../ground/language";

/** Between two tries to send what waits here. */
const AGAIN_MS = 10_000;

const user = document.querySelector<HTMLMetaElement>('meta[name="user"]')?.content ?? "";

export function keepOffline(): void {
  if (!user) {
    // Nobody is logged in here: the copies of the last log-in are of no use to anybody.
    void wipeShelves(undefined);
    return;
  }
  void wipeOthers(user);
  guardLogOut();
  for (const host of document.querySelectorAll<HTMLElement>("[data-offline-batch]")) {
    void new BatchPanel(host, user, host.dataset.offlineBatch ?? "", host.dataset.name ?? "", markRows).show();
  }
  markRows();
  const host = document.querySelector<HTMLElement>("[data-waiting]");
  if (host) {
    void comeHome(host);
    addEventListener("online", () => void comeHome(host));
    // A browser may miss that it is online again, and a server may be back without the browser having been offline.
    setInterval(() => {
      if (host.querySelector("[data-done=waits]")) void comeHome(host);
    }, AGAIN_MS);
  }
}

/** Scans that can be opened without a network say so. */
function markRows(): void {
  const here = new Set(
    keptBatches(user).flatMap((batch) => batch.scans.filter((scan) => scan.done).map((scan) => scan.view)),
  );
  for (const row of document.querySelectorAll<HTMLElement>("tr[data-href]")) {
    row.querySelector(".offline-mark")?.remove();
    if (here.has(row.dataset.href ?? ""))
      row
        .querySelector("td.why")
        ?.prepend(
          make(
            "span",
            { class: "tag tag-good offline-mark", title: t("In this browser: opens without a network") },
            t("offline"),
          ),
          " ",
        );
  }
}

/** What waits in this browser goes to the server; what cannot is shown with a way out. */
async function comeHome(host: HTMLElement): Promise<void> {
  const home = await import("../offline/home").catch(() => null);
  if (!home) return; // the line was cut meanwhile: it goes at the next opening
  const all = (await home.waitingOf(user)).filter(home.waitingWords);
  host.hidden = all.length === 0;
  if (!all.length) return home.bringAllHome(user, null, () => undefined);
  const list = make("ul", { class: "waiting" });
  host.replaceChildren(make("h2", {}, t("Waiting in this browser")), list);
  const rows = new Map(
    all.map((scan) => [
      scan.assignment,
      list.appendChild(make("li", { "data-assignment": scan.assignment }, `${scan.code}: ${home.waitingWords(scan)}`)),
    ]),
  );
  let cameHome = 0;
  await home.bringAllHome(user, null, (scan, done) => {
    const row = rows.get(scan.assignment);
    if (row && done && !done.left) cameHome++;
    if (row)
      row.replaceChildren(
        ...(done
          ? outcome(host, row, done, home.waitingWords(scan))
          : [
              make(
                "span",
                { role: "status" },
                t("{code}: sending {what}…", { code: scan.code, what: home.waitingWords(scan) }),
              ),
            ]),
      );
  });
  if (cameHome) host.append(button(t("Show the list anew"), () => location.reload()));
}

function outcome(
  host: HTMLElement,
  row: HTMLElement,
  { scan, left, submitted, waits, refused }: Homecoming,
  what: string,
): Node[] {
  row.dataset.done = waits ? "waits" : left ? "left" : "home";
  if (waits)
    return [
      make(
        "span",
        { class: "grow" },
        t("{code}: {what}; sent by itself when there is a connection.", { code: scan.code, what }),
      ),
      make("a", { class: "btn", href: `/view/${scan.assignment}/` }, t("Open")),
    ];
  if (!left)
    return [
      make(
        "span",
        { class: "good" },
        submitted ? t("{code}: saved and handed in.", { code: scan.code }) : t("{code}: saved.", { code: scan.code }),
      ),
    ];
  return [
    make("span", { class: "grow warn" }, `${scan.code}: ${left}`),
    make("a", { class: "btn", href: `/view/${scan.assignment}/` }, t("Open")),
    ...(scan.lines.length ? [button(t("Download the mask"), () => void download(scan))] : []),
    button(t("Discard"), () => void giveUp(row, scan), "btn-ghost"),
    ...(refused.length ? [make("ul", { class: "refused" }, ...refused.map((word) => refusedWord(host, word)))] : []),
  ];
}

/**
 * A comment that the server does not take: what it says, why, and the two ways out. After either everything is sent
 * anew.
 */
function refusedWord(host: HTMLElement, word: Intent<"word">): HTMLElement {
  const { text, refused } = word.value;
  const mend = async (now: string | null) => {
    await (await import("../offline/home")).mendWord(user, word, now);
    host.tabIndex = -1;
    host.focus();
    await comeHome(host);
  };
  const row = make("li", { "data-refused": word.name });
  const tell = () =>
    row.replaceChildren(
      make("span", { class: "grow" }, make("q", {}, text), ` ${refused}`),
      button(t("Change"), write),
      button(t("Drop"), () => void mend(null), "btn-ghost"),
    );
  const write = () => {
    const field = make(
      "textarea",
      { class: "input grow", rows: "2", maxlength: "2000", "aria-label": t("Change the comment") },
      text,
    );
    const send = () => {
      if (field.value.trim()) void mend(field.value.trim());
    };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
      else if (event.key === "Escape") tell();
    });
    row.replaceChildren(field, button(t("Send"), send), button(t("Cancel"), tell, "btn-ghost"));
    field.focus();
  };
  tell();
  return row;
}

async function download(scan: Waiting): Promise<void> {
  const { maskFile } = await import("../offline/home");
  for (const { about } of scan.lines) {
    const link = make("a", {
      href: URL.createObjectURL(new Blob([(await maskFile(user, about)) as Uint8Array<ArrayBuffer>])),
      download: `${about.scan}-${about.layer}.nii.gz`,
    });
    link.click();
  }
}

async function giveUp(row: HTMLElement, scan: Waiting): Promise<void> {
  const { discard, waitingWords } = await import("../offline/home");
  row.replaceChildren(
    make("span", { class: "grow" }, t("Throw away {what} of {code}?", { what: waitingWords(scan), code: scan.code })),
    button(t("Throw away"), () => void discard(user, scan).then(() => row.remove()), "btn-danger"),
    button(t("Keep"), () => location.reload(), "btn-ghost"),
  );
}

/** Logging out removes the scans from this browser; strokes that the server has not are asked about first. */
function guardLogOut(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>('form[action="/accounts/logout/"]')) {
    form.addEventListener(
      "submit",
      (event) => {
        event.preventDefault();
        event.stopImmediatePropagation();
        void leave(form);
      },
      { capture: true },
    );
  }
}

async function leave(form: HTMLFormElement): Promise<void> {
  const { waitingOf, waitingWords } = await import("../offline/home");
  const { leaveNothing } = await import("../offline/leaving");
  const waiting = (await waitingOf(user)).filter(waitingWords);
  const choice = waiting.length
    ? await chosen(
        waiting.map((scan) => `${scan.code}: ${waitingWords(scan)}`),
        (await personVault()).seals,
      )
    : "drop";
  if (choice === "stay") return;
  if (await leaveNothing(user, choice === "keep"))
    form.append(make("input", { type: "hidden", name: "nothing_waits", value: "1" }));
  form.submit();
}

type Choice = "stay" | "keep" | "drop";

/** What is to become of work that the server does not have yet. */
function chosen(what: readonly string[], isSealed: boolean): Promise<Choice> {
  return new Promise((resolve) => {
    const dialog = make("dialog", { class: "dialog", "aria-label": t("Log out") });
    const end = (choice: Choice) => {
      dialog.remove();
      resolve(choice);
    };
    dialog.append(
      make("header", {}, make("h2", {}, t("Not everything is saved on the server yet"))),
      make(
        "div",
        { class: "stack" },
        make("ul", {}, ...what.map((one) => make("li", {}, one))),
        make(
          "p",
          {},
          isSealed
            ? t(
                "Kept here it is sealed: only you can open it, and it is sent when you log in on this computer " +
                  "again. On a computer that you will not use again, stay and let it be sent.",
              )
            : t(
                "Kept here it is sent when you log in on this computer again; our pages show it to nobody else," +
                  " but it is not sealed, because this address has no https.",
              ),
        ),
        make(
          "div",
          { class: "actions" },
          button(t("Throw it away and log out"), () => end("drop"), "btn-danger"),
          button(t("Keep it here and log out"), () => end("keep")),
          button(t("Stay logged in"), () => end("stay"), "btn-primary"),
        ),
      ),
    );
    dialog.addEventListener("cancel", () => end("stay"));
    document.body.append(dialog);
    dialog.showModal();
  });
}
