const STAYS_MS = 10_000;

/** Messages that only say that something worked leave by themselves; the others stay until dismissed. */
export function keepToasts(): void {
  const leave = (toast: Element) => {
    toast.classList.add("is-leaving");
    setTimeout(() => toast.remove(), 200);
  };
  for (const toast of document.querySelectorAll(".toast-success, .toast-info")) setTimeout(leave, STAYS_MS, toast);
  document.addEventListener("click", (event) => {
    const toast = (event.target as HTMLElement).closest("[data-dismiss]")?.closest(".toast");
    if (toast) leave(toast);
  });
}
