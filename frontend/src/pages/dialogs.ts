import { isPlainKey } from "./keys";

/**
 * `data-opens="id"` opens a dialog; its `data-action` and `data-say` fill the form in it. Menus close by themselves.
 */
export function keepDialogs(): void {
  function open(button: HTMLElement): void {
    const dialog = document.getElementById(button.dataset.opens ?? "");
    if (!(dialog instanceof HTMLDialogElement)) return;
    const form = dialog.querySelector("form");
    if (form && button.dataset.action) form.action = button.dataset.action;
    const say = dialog.querySelector("[data-said]");
    if (say && button.dataset.say) say.textContent = button.dataset.say;
    dialog.showModal();
  }

  document.addEventListener("click", (event) => {
    const target = event.target as HTMLElement;
    const opener = target.closest<HTMLElement>("[data-opens]");
    if (opener) return open(opener);
    if (target.closest("[data-closes]") || target instanceof HTMLDialogElement) target.closest("dialog")?.close();
    for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu-root[open]"))
      if (!menu.contains(target)) menu.open = false;
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu-root[open]")) {
        menu.open = false;
        menu.querySelector("summary")?.focus();
      }
      return;
    }
    if (!isPlainKey(event)) return;
    if (event.key === "?") (document.getElementById("keys") as HTMLDialogElement | null)?.showModal();
    else if (event.key === "/") document.getElementById("find")?.focus();
    else if (["s", "x"].includes(event.key.toLowerCase())) {
      const row = document.querySelector('[data-href][aria-selected="true"]');
      const button = row?.querySelector<HTMLElement>(`[data-key="${event.key.toLowerCase()}"]`);
      if (!button) return;
      open(button);
    } else return;
    event.preventDefault();
  });
}
