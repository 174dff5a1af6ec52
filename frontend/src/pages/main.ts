/* Small scripts of the server-rendered pages: lists by keyboard, dialogs, toasts, times. */
import "htmx.org";
import "../../styles/tokens.css";
import "../../styles/frame.css";
import "../../styles/pages.css";
import "../../styles/upload.css";
import { keepList } from "./list";
import { keepDialogs } from "./dialogs";
import { keepToasts } from "./toasts";
import { keepForms } from "./forms";
import { keepNews } from "./news";
import { keepOffline } from "./offline";
import { keepPasskeys } from "./passkeys";
import { keepPrint } from "./print";
import { keepRefresh } from "./refresh";
import { keepSchema } from "./schema";
import { keepSelection } from "./selection";
import { tellLocalTimes } from "./times";
import { tellZone } from "./zone";

keepList();
keepDialogs();
keepToasts();
keepNews();
keepForms();
keepOffline();
keepPasskeys();
keepPrint();
keepRefresh();
keepSchema();
keepSelection();
tellLocalTimes(document);
tellZone();
// The de-identifier is large: only the page that has a place for it fetches it.
const place = document.querySelector<HTMLElement>("[data-deidentify]");
if (place) void import("./upload/show").then(({ showUpload }) => showUpload(place));
document.addEventListener("htmx:afterSwap", (event) => tellLocalTimes(event.target as ParentNode));
// A page that comes back by the Back button may be of a log-in that has ended.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
