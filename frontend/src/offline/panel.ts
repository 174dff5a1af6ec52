/**
 * Taking a batch along, as a part of any page: its size, the way there, and what is here. Plain elements, no framework.
 */

import { spoken, t, tn } from "../ground/language";
import { keptBatch } from "./registry";

/** An element with text and attributes; a button gets its class and its click. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...inside: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
}

export function button(text: string, click: () => void, kind = ""): HTMLButtonElement {
  const element = make("button", { type: "button", class: `btn ${kind}` }, text);
  element.addEventListener("click", click);
  return element;
}

const megabytes = (bytes: number): string =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.max(1, Math.round(bytes / 1e6))} MB`;
const day = (iso: string): string => new Date(iso).toLocaleDateString(spoken(), { day: "numeric", month: "short" });

/** One batch: its size, the way there, and what is here. */
export class BatchPanel {
  #stop: AbortController | null = null;

  /** Fills `host`; `changed` is called when other scans are here than before. */
  constructor(
    private readonly host: HTMLElement,
    private readonly user: string,
    private readonly id: string,
    private readonly name: string,
    private readonly changed: () => void = () => undefined,
  ) {}

  /**
   * As `show`, but where nothing is here yet the size and the question stand there at once: who opened this wants to
   * know.
   */
  async open(): Promise<void> {
    const { canWorkOffline } = await import("./take");
    if (!canWorkOffline() || keptBatch(this.user, this.id)) {
      await this.show();
      return;
    }
    await this.#ask();
    this.host.querySelector<HTMLElement>(".btn-primary")?.focus();
  }

  async show(words = ""): Promise<void> {
    const take = await import("./take");
    if (!take.canWorkOffline()) {
      this.#fill(make("p", { class: "small muted" }, t("Working offline needs a secure address (https).")));
      return;
    }
    const kept = keptBatch(this.user, this.id);
    const done = kept?.scans.filter((scan) => scan.done) ?? [];
    const said = words ? [make("p", { class: "small warn", role: "alert" }, words)] : [];
    if (kept && done.length === kept.scans.length) {
      const size = done.reduce((sum, scan) => sum + scan.bytes, 0);
      this.#fill(
        ...said,
        make(
          "p",
          { class: "small good" },
          tn(
            done.length,
            "In this browser until {day}: {n} scan, {size}.",
            "In this browser until {day}: {n} scans, {size}.",
            { day: day(kept.until), size: megabytes(size) },
          ),
        ),
        make(
          "div",
          { class: "row" },
          button(t("Bring up to date"), () => void this.#ask()),
          button(t("Remove"), () => void this.#remove(), "btn-ghost"),
        ),
      );
    } else if (kept) {
      this.#fill(
        ...said,
        make(
          "p",
          { class: "small" },
          tn(kept.scans.length, "{n} of {all} scan is in this browser.", "{n} of {all} scans are in this browser.", {
            n: done.length,
            all: kept.scans.length,
          }),
        ),
        make(
          "div",
          { class: "row" },
          button(t("Go on"), () => void this.#ask()),
          button(t("Remove"), () => void this.#remove(), "btn-ghost"),
        ),
      );
    } else
      this.#fill(
        ...said,
        button(t("Take offline"), () => void this.#ask()),
      );
  }

  async #ask(): Promise<void> {
    const { freeBytes, planFor } = await import("./take");
    let plan;
    try {
      plan = await planFor(this.id);
    } catch (error) {
      return this.show(error instanceof TypeError ? t("The server cannot be reached.") : (error as Error).message);
    }
    if (plan.days <= 0) return this.show(t("Working offline is switched off on this server."));
    if (!plan.scans.length) return this.show(t("None of your scans in this batch can be taken along."));
    const free = await freeBytes();
    const days = make("input", {
      class: "input",
      type: "number",
      min: "1",
      max: String(plan.days),
      value: String(Math.min(3, plan.days)),
      id: `days-${this.id}`,
      "aria-label": t("Days"),
    });
    this.#fill(
      make(
        "p",
        { class: "small" },
        tn(
          plan.scans.length,
          "{n} scan, {size}; this browser has room for {free}.",
          "{n} scans, {size}; this browser has room for {free}.",
          { size: megabytes(plan.bytes), free: free === null ? t("an unknown amount") : megabytes(free) },
        ),
      ),
      make(
        "p",
        { class: "small muted" },
        t(
          "They are held for you so long. Whoever uses this browser can look at them: take scans along only on " +
            "a computer of your own, and log out to remove them.",
        ),
      ),
      make(
        "div",
        { class: "row" },
        make("label", { class: "small", for: `days-${this.id}` }, t("Days")),
        days,
        button(
          tn(plan.scans.length, "Take {n} scan along", "Take {n} scans along"),
          () => void this.#take(Number(days.value)),
          "btn-primary",
        ),
        button(t("Cancel"), () => void this.show(), "btn-ghost"),
      ),
    );
    days.style.width = "72px";
  }

  async #take(days: number): Promise<void> {
    const { NoRoom, takeBatch } = await import("./take");
    this.#stop = new AbortController();
    const bar = make("progress", { max: "1", value: "0", "aria-label": t("Taking the batch along") });
    const text = make("p", { class: "small", role: "status", "aria-live": "polite" }, t("Beginning…"));
    this.#fill(
      text,
      bar,
      make(
        "div",
        { class: "row" },
        button(t("Stop"), () => this.#stop?.abort(), "btn-ghost"),
      ),
    );
    try {
      await takeBatch(
        this.user,
        { id: this.id, name: this.name },
        days,
        ({ bytes, total, code }) => {
          bar.value = total ? bytes / total : 0;
          text.textContent = t("{code}: {done} of {all}", { code, done: megabytes(bytes), all: megabytes(total) });
        },
        this.#stop.signal,
      );
      await this.show();
    } catch (error) {
      const why = this.#stop.signal.aborted
        ? t("Stopped. Go on whenever you like.")
        : error instanceof NoRoom
          ? t("This browser has only {free} of the {needed} that are needed; free some room or take fewer scans.", {
              free: megabytes(error.free),
              needed: megabytes(error.needed),
            })
          : error instanceof DOMException && error.name === "QuotaExceededError"
            ? t("This browser's storage is full; what has come is kept.")
            : error instanceof TypeError
              ? t("The connection is gone; go on when it is back.")
              : (error as Error).message;
      await this.show(why);
    }
    this.changed();
  }

  async #remove(): Promise<void> {
    await (await import("./take")).removeBatch(this.user, this.id);
    this.changed();
    await this.show();
  }

  #fill(...inside: Node[]): void {
    this.host.replaceChildren(...inside);
  }
}
