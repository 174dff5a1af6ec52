/** What was done on the page before this one, and the way back while there is one. */

import { useEffect } from "preact/hooks";
import { useDesk } from "../desk/desk";
import { t } from "../../ground/language";
import { type News, undoWordsOf, wordsOf } from "../../ground/news";
import { Button, Kbd } from "../controls/controls";
import { Icon } from "../controls/icons";

/** Calls `onOver` when the news can no longer be taken back. */
export function useLasting(news: News | null, onOver: () => void): void {
  useEffect(() => {
    if (!news) return;
    const timer = setTimeout(onOver, news.until - Date.now());
    return () => clearTimeout(timer);
  }, [news]);
}

export function NewsNote() {
  const { work } = useDesk();
  const news = work.news.value;
  useLasting(news, () => {
    work.news.value = null;
  });
  return (
    <div class="notices news" role="status">
      {news && (
        <div class="note note-good" data-testid="news" style={`--left:${Math.max(0, news.until - Date.now())}ms`}>
          <Icon name="check" />
          <span class="grow">{wordsOf(news)}</span>
          <Button
            icon="undo-2"
            testid="take-back"
            keys="Alt+Z"
            title={t("Take it back and open it again")}
            disabled={!!work.busy.value}
            onClick={() => void work.takeBack(news)}
          >
            {undoWordsOf(news)} <Kbd keys="Alt+Z" />
          </Button>
        </div>
      )}
    </div>
  );
}
