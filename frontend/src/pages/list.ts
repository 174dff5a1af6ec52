import { isPlainKey } from "./keys";

/**
 * J K move in a list of rows (`[data-href]`), Enter opens; a click opens too, or only selects where `data-selects` is.
 * A row with `data-form` is opened by sending that form.
 */
export function keepList(): void {
  const rows = () => [...document.querySelectorAll<HTMLElement>("[data-href]")].filter((row) => row.offsetParent);
  const selected = () => rows().findIndex((row) => row.getAttribute("aria-selected") === "true");

  function select(index: number): void {
    const all = rows();
    const row = all[Math.max(0, Math.min(all.length - 1, index))];
    if (!row) return;
    for (const other of all) other.removeAttribute("aria-selected");
    row.setAttribute("aria-selected", "true");
    row.scrollIntoView({ block: "nearest" });
    row.querySelector<HTMLElement>("a, button")?.focus({ preventScroll: true, focusVisible: false });
    row.dispatchEvent(new CustomEvent("row-selected", { bubbles: true }));
  }

  function open(row: HTMLElement): void {
    const form = row.dataset.form && document.querySelector<HTMLFormElement>(`#${CSS.escape(row.dataset.form)}`);
    if (form) form.requestSubmit();
    else if (row.dataset.href) location.assign(row.dataset.href);
  }

  document.addEventListener("keydown", (event) => {
    if (!isPlainKey(event)) return;
    const key = event.key.toLowerCase();
    const at = selected();
    if (key === "j" || key === "k") select(at < 0 ? 0 : at + (key === "j" ? 1 : -1));
    else if (event.key === "Enter" && !(event.target as HTMLElement).closest("button, a, summary")) {
      const row = rows()[at];
      if (row) open(row);
      else document.querySelector<HTMLElement>("[data-enter]")?.click();
    } else if (key === "n") document.querySelector<HTMLElement>("[data-new]")?.click();
    else return;
    event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const target = event.target as HTMLElement;
    const row = target.closest<HTMLElement>("[data-href]");
    if (!row || target.closest("a, button, summary, input, form, label, details")) return;
    if (getSelection()?.toString()) return;
    if ("selects" in row.dataset) select(rows().indexOf(row));
    else open(row);
  });
}
