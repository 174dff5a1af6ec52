/**
 * A refused form of a dialog, or of a row, comes back with a message on top: what was typed is put back where it was,
 * the field is marked, and has the focus. Passwords and files are never kept; forms with fields of the server's own
 * (`422`) keep theirs by themselves.
 */

const KEPT = "voxloop-typed";

interface Typed {
  page: string;
  action: string;
  dialog: string;
  said: string;
  values: [string, string][];
}

/** Remembers the form that is being sent, for the page that comes next. */
export function rememberTyped(form: HTMLFormElement): void {
  const dialog = form.closest("dialog");
  const values = textsOf(form).map(({ name, value }): [string, string] => [name, value]);
  if (!values.length) return;
  const said = dialog?.querySelector("[data-said]")?.textContent ?? "";
  const typed: Typed = { page: location.pathname, action: form.action, dialog: dialog?.id ?? "", said, values };
  sessionStorage.setItem(KEPT, JSON.stringify(typed));
}

/** Puts back what was typed when the page says that it was refused. */
export function restoreTyped(): void {
  const kept = sessionStorage.getItem(KEPT);
  sessionStorage.removeItem(KEPT);
  const refused = document.querySelector(".toast-error .grow")?.textContent?.trim();
  if (!kept || !refused) return;
  const typed = JSON.parse(kept) as Typed;
  const form = typed.page === location.pathname ? formOf(typed) : undefined;
  if (!form) return;
  form.action = typed.action;
  const fields = textsOf(form);
  for (const [name, value] of typed.values) {
    const field = fields.find((one) => one.name === name);
    if (field) field.value = value;
  }
  const dialog = form.closest("dialog");
  const said = dialog?.querySelector("[data-said]");
  if (said) said.textContent = typed.said;
  dialog?.showModal();
  if (fields[0]) markRefused(fields[0], refused);
}

function formOf(typed: Typed): HTMLFormElement | undefined {
  if (typed.dialog) return document.getElementById(typed.dialog)?.querySelector("form") ?? undefined;
  return [...document.forms].find((one) => one.action === typed.action);
}

function markRefused(field: HTMLInputElement | HTMLTextAreaElement, why: string): void {
  const error = document.createElement("span");
  error.className = "error";
  error.id = `${field.id || field.name}-refused`;
  error.textContent = why;
  field.after(error);
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", `${field.getAttribute("aria-describedby") ?? ""} ${error.id}`.trim());
  field.focus();
}

function textsOf(form: HTMLFormElement): (HTMLInputElement | HTMLTextAreaElement)[] {
  const fields = form.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("textarea[name], input[name]");
  return [...fields].filter((field) => field instanceof HTMLTextAreaElement || ["text", "search"].includes(field.type));
}
