/** What was just done in the viewer and can be taken back, as a message with a button. */

import { takeBack, takeNews, undoWordsOf, wordsOf } from "../ground/news";

export function keepNews(): void {
  const user = document.querySelector<HTMLMetaElement>('meta[name="user"]')?.content ?? "";
  const template = document.querySelector<HTMLTemplateElement>("#toast-news");
  const toasts = document.getElementById("toasts");
  const news = user && template && toasts ? takeNews(user) : null;
  if (!news || !template || !toasts) return;
  toasts.append(template.content.cloneNode(true));
  const toast = toasts.querySelector<HTMLElement>("[data-news]");
  const button = toast?.querySelector<HTMLButtonElement>("[data-take-back]");
  const said = toast?.querySelector("[data-said]");
  if (!toast || !button || !said) return;
  said.textContent = wordsOf(news);
  button.lastElementChild?.append(undoWordsOf(news));
  const ends = setTimeout(() => toast.remove(), news.until - Date.now());
  button.addEventListener("click", () => {
    clearTimeout(ends);
    button.disabled = true;
    takeBack(news).catch((error: unknown) => {
      said.textContent = error instanceof Error ? error.message : String(error);
      button.remove();
    });
  });
}
