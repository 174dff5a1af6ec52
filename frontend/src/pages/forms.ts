import { rememberTyped, restoreTyped } from "./typed";

/** Puts the text of the element that the button names on the clipboard. */
async function copy(button: HTMLElement): Promise<void> {
  const text = document.getElementById(button.dataset.copy ?? "")?.textContent ?? "";
  await navigator.clipboard.writeText(text.trim());
  button.textContent = "Copied";
}

/** Ctrl Enter sends, a sent form cannot be sent twice, an error summary takes the focus, copy buttons copy. */
export function keepForms(): void {
  const wrong = document.querySelector<HTMLElement>('form [aria-invalid="true"]');
  (wrong ?? document.querySelector<HTMLElement>("[data-focus]"))?.focus();
  restoreTyped();

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    (event.target as HTMLElement).closest("form")?.requestSubmit();
  });

  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (form.method === "get" || form.hasAttribute("hx-post")) return;
    if (event.submitter?.hasAttribute("data-stays")) return; // a download leaves the page where it is
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    rememberTyped(form);
    const button = event.submitter as HTMLButtonElement | null;
    if (button?.dataset.busy) {
      button.setAttribute("aria-disabled", "true");
      button.textContent = button.dataset.busy;
    }
  });
  addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });

  document.addEventListener("click", (event) => {
    const button = (event.target as HTMLElement).closest<HTMLElement>("[data-copy]");
    if (button) void copy(button);
  });

  document.addEventListener("change", (event) => {
    const field = event.target as HTMLElement;
    if (field.matches("[data-sends]")) field.closest("form")?.requestSubmit();
  });
}
