/** Entry of the viewer page: the context becomes a desk, the desk a page. */

import "../../styles/viewer.css";
import { h, render } from "preact";
import { wipeOthers } from "../offline/registry";
import { call } from "./api";
import { App } from "./app";
import { readContext } from "./context";
import { exposeFacts } from "./debug";
import { Desk } from "./desk";
import { ENGLISH, learn } from "./language";
import { keepSettings, settings } from "./settings";
import { followTheme } from "./theme";

async function start(): Promise<void> {
  const host = document.getElementById("viewer");
  if (!host) throw new Error("The page has no place for the viewer.");
  const context = readContext();
  void wipeOthers(context.user);
  keepSettings(context.user, context.settings, localStorage, (values) =>
    call("PATCH", "/api/v1/me/settings", { values }),
  );
  followTheme(document.documentElement);
  const language = new URLSearchParams(location.search).get("language") ?? settings.value.language;
  if (language !== ENGLISH) await learn(language);
  const desk = new Desk(context);
  exposeFacts(desk);
  render(h(App, { desk }), host);
  await desk.open();
}

// A page that comes back by the Back button may be of a log-in that has ended.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
void start();
