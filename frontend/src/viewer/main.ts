/** Entry of the viewer page: the context becomes a desk, the desk a page. */

import "../../styles/viewer.css";
import { h, render } from "preact";
import { call } from "./api";
import { App } from "./app";
import { readContext, type Context } from "./context";
import { exposeFacts } from "./debug";
import { Desk } from "./desk";

/** Start or go on with the work and take its lease; without the right to, the page shows what is there. */
async function takeUp(context: Context): Promise<Context> {
  if (!context.can.edit && context.state !== "queued" && context.state !== "returned") return context;
  try {
    return await call<Context>("POST", `/api/v1/assignments/${context.id}/open`);
  } catch {
    return context;
  }
}

async function start(): Promise<void> {
  const host = document.getElementById("viewer");
  if (!host) throw new Error("The page has no place for the viewer.");
  const desk = new Desk(await takeUp(readContext()));
  exposeFacts(desk);
  render(h(App, { desk }), host);
  await desk.open();
}

void start();
