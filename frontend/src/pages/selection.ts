import { isPlainKey } from "./keys";

/**
 * Check boxes of a table (`[data-select]`), the one in its head (`[data-select-page]`), and the bar of what is
 * selected (`[data-selection]`). Shift with a press takes a range; X takes or leaves the row where J and K are.
 * `[data-select-all]` takes all that were found, on every page: its hidden field (`[data-all]`) tells the server.
 */
export function keepSelection(): void {
  const bar = document.querySelector<HTMLElement>("[data-selection]");
  const head = document.querySelector<HTMLInputElement>("[data-select-page]");
  const all = bar?.querySelector<HTMLInputElement>("[data-all]");
  if (bar && head && all) keep(bar, head, all);
}

function keep(bar: HTMLElement, head: HTMLInputElement, all: HTMLInputElement): void {
  const count = bar.querySelector<HTMLElement>("[data-count]");
  const boxes = [...document.querySelectorAll<HTMLInputElement>("[data-select]")];
  let last = -1;

  function tell(): void {
    const n = boxes.filter((box) => box.checked).length;
    if (n < boxes.length) all.disabled = true;
    head.checked = n > 0 && n === boxes.length;
    head.indeterminate = n > 0 && n < boxes.length;
    bar.hidden = n === 0;
    if (count) count.textContent = all.disabled ? String(n) : (all.dataset.all ?? "");
    for (const box of boxes) box.closest("tr")?.classList.toggle("is-selected", box.checked);
  }

  function take(isChecked: boolean, from = 0, to = boxes.length - 1): void {
    for (const box of boxes.slice(Math.min(from, to), Math.max(from, to) + 1)) box.checked = isChecked;
    tell();
  }

  for (const [at, box] of boxes.entries())
    box.addEventListener("click", (event) => {
      if (event.shiftKey && last >= 0) take(box.checked, last, at);
      last = at;
      tell();
    });
  head.addEventListener("change", () => take(head.checked));
  bar.querySelector("[data-select-all]")?.addEventListener("click", () => {
    all.disabled = false;
    take(true);
  });
  bar.querySelector("[data-select-none]")?.addEventListener("click", () => {
    take(false);
    head.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (!isPlainKey(event) && !boxes.includes(event.target as HTMLInputElement)) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.key.toLowerCase() !== "x") return;
    const row = document.querySelector('[data-href][aria-selected="true"]');
    row?.querySelector<HTMLInputElement>("[data-select]")?.click();
  });
  tell(); // the browser may have kept the boxes of before
}
