/** Buttons that print the page. */
export function keepPrint(): void {
  document.addEventListener("click", (event) => {
    if ((event.target as Element | null)?.closest("[data-print]")) print();
  });
}
