/** Entry of the viewer page: the context becomes a desk, the desk a page. */

import "../../styles/viewer.css";
import { h, render } from "preact";
import { wipeOthers } from "../offline/registry";
import { call } from "../ground/api";
import { App } from "./app";
import { readContext } from "../ground/context";
import * as shape from "../ground/shapes";
import { exposeFacts } from "./debug";
import { Desk } from "./desk/desk";
import { ENGLISH, learn } from "../ground/language";
import { keepSettings, settings } from "../ground/settings";
import { followTheme } from "../ground/theme";

async function start(): Promise<void> {
  const host = document.getElementById("viewer");
  if (!host) throw new Error("The page has no element for the viewer.");
  const context = readContext();
  void wipeOthers(context.user);
  keepSettings(context.user, context.settings, localStorage, (values) =>
    call("PATCH", "/api/v1/me/settings", { values }, shape.Settings),
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
start().catch((error: unknown) => {
  const host = document.getElementById("viewer");
  if (!host || host.firstChild) throw error;
  render(h("p", { role: "alert" }, error instanceof Error ? error.message : String(error)), host);
});
