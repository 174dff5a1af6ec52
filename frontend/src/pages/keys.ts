/** Whether a key press belongs to the page: nothing is typed, no modifier, no dialog open. */
export function isPlainKey(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false;
  if (document.querySelector("dialog[open]")) return false;
  const target = event.target as HTMLElement;
  return !target.closest("input, textarea, select, [contenteditable]");
}
