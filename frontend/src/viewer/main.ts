/** Entry of the viewer page: the context becomes a desk, the desk a page. */

import "../../styles/viewer.css";
import { h, render } from "preact";
import { App } from "./app";
import { readContext } from "./context";
import { exposeFacts } from "./debug";
import { Desk } from "./desk";

async function start(): Promise<void> {
  const host = document.getElementById("viewer");
  if (!host) throw new Error("The page has no place for the viewer.");
  const desk = new Desk(readContext());
  exposeFacts(desk);
  render(h(App, { desk }), host);
  await desk.open();
}

void start();
