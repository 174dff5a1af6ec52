/** Put the panel in its place on the upload page, which names the sites and campaigns. */

import { render } from "preact";
import { type Choice, first, Panel } from "./panel";
import { Upload } from "./upload";

export function showUpload(place: HTMLElement): void {
  const choices = (name: string): Choice[] =>
    Array.from(place.querySelectorAll<HTMLElement>(`[data-${name}]`), (one) => ({
      value: one.dataset[name] ?? "",
      words: one.textContent.trim(),
      isHere: one.hasAttribute("data-here"),
    }));
  const [sites, campaigns] = [choices("site"), choices("campaign")];
  if (!sites.length || !campaigns.length) return;
  const upload = new Upload();
  void upload.aim(first(sites), first(campaigns));
  addEventListener("beforeunload", (event) => {
    if (upload.holdsSomething) event.preventDefault();
  });
  place.replaceChildren();
  place.hidden = false;
  render(<Panel upload={upload} sites={sites} campaigns={campaigns} />, place);
}
