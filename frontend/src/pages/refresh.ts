/** A page that the server wants anew is not taken from under somebody's hands. */

/** Asks instead of reloading where something was typed or chosen since the page came. */
export function keepRefresh(): void {
  let isTouched = false;
  for (const kind of ["input", "change", "drop"])
    document.addEventListener(kind, (event) => {
      isTouched ||= (event.target as Element | null)?.closest("main") !== null;
    });
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr, elt } = (event as CustomEvent<{ xhr: XMLHttpRequest; elt: Element }>).detail;
    if (!isTouched || xhr.getResponseHeader("HX-Refresh") !== "true") return;
    event.preventDefault();
    elt.replaceWith(offer());
  });
}

function offer(): HTMLElement {
  const note = document.createElement("div");
  note.className = "note";
  note.setAttribute("role", "status");
  const text = document.createElement("span");
  text.className = "grow";
  text.textContent = "There is news for this page. It is shown when you reload; what you have typed stays until then.";
  const button = document.createElement("button");
  button.className = "btn";
  button.type = "button";
  button.textContent = "Reload";
  button.addEventListener("click", () => location.reload());
  note.append(text, button);
  return note;
}
