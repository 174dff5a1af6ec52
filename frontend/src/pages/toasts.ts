const STAYS_MS = 10_000;

/** Messages that only say that something worked leave by themselves; the others stay until dismissed. */
export function keepToasts(): void {
  const leave = (toast: Element) => {
    toast.classList.add("is-leaving");
    setTimeout(() => toast.remove(), 200);
  };
  for (const toast of document.querySelectorAll(".toast-success, .toast-info")) setTimeout(leave, STAYS_MS, toast);
  keepAway();
  document.addEventListener("click", (event) => {
    const toast = (event.target as HTMLElement).closest("[data-dismiss]")?.closest(".toast");
    if (toast) leave(toast);
  });
}

/** While the server does not answer what a page asks by itself, one message says so; it leaves with the next answer. */
function keepAway(): void {
  const id = "server-away";
  const show = () => {
    const template = document.querySelector<HTMLTemplateElement>("#toast-away");
    if (!template || document.getElementById(id)) return;
    document.getElementById("toasts")?.append(template.content.cloneNode(true));
  };
  document.addEventListener("htmx:sendError", show);
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr } = (event as CustomEvent<{ xhr: XMLHttpRequest }>).detail;
    if (xhr.status >= 500 || xhr.status === 429) show();
  });
  document.addEventListener("htmx:afterSwap", () => document.getElementById(id)?.remove());
}
