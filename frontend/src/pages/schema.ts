/** The preview of a label schema: it follows what is typed, and its questions show and hide as the viewer's do. */

/** Shows the questions of the preview that the answers in it ask for. */
function showAsked(preview: HTMLElement): void {
  const given = new Map<string, string[]>();
  for (const asked of preview.querySelectorAll<HTMLElement>("[data-asks]")) {
    const { when, shown } = asked.dataset;
    const wanted = (shown ?? "").split("|").filter(Boolean);
    asked.hidden = when !== undefined && !(given.get(when) ?? []).some((value) => wanted.includes(value));
    const answers = [...asked.querySelectorAll<HTMLInputElement>("input:checked")].map((input) => input.value);
    given.set(asked.dataset.asks ?? "", asked.hidden ? [] : answers);
  }
}

export function keepSchema(): void {
  const refresh = () => {
    const preview = document.getElementById("schema-preview");
    if (preview) showAsked(preview);
  };
  refresh();
  document.addEventListener("change", (event) => {
    if ((event.target as HTMLElement).closest("#schema-preview")) refresh();
  });
  document.addEventListener("htmx:afterSwap", refresh);
}
