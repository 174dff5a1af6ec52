/** The tooltip of a time says it in UTC; add the reader's own. */
export function tellLocalTimes(root: ParentNode): void {
  for (const time of root.querySelectorAll<HTMLTimeElement>("time[title]:not([data-told])")) {
    time.dataset.told = "yes";
    if (time.dateTime.length > 10) time.title += `\n${new Date(time.dateTime).toLocaleString()} here`;
  }
}
