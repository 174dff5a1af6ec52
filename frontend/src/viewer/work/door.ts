/**
 * Logging in without leaving the page, through the log-in pages of the server like everybody, with their
 * tokens, their second factor and their lock after five failures. The editor and its strokes stay where they are.
 */

import { awayOf } from "../../ground/api";
import { t } from "../../ground/language";

export const LOGIN = "/accounts/login/";
const CODE = "/accounts/2fa/authenticate/",
  LOGOUT = "/accounts/logout/";
/** A page that everybody who is logged in may open; it names the person and carries a token. */
const OWN = "/people/me/";

export interface Identity {
  readonly user: string;
  readonly token: string;
}

export type Answer =
  | { readonly kind: "in"; readonly identity: Identity }
  /** The account has a second factor. */
  | { readonly kind: "code" }
  | { readonly kind: "refused"; readonly text: string };

interface Shown {
  readonly path: string;
  readonly status: number;
  readonly code: string | null;
  readonly page: Document;
}

async function show(url: string, form?: Readonly<Record<string, string>>): Promise<Shown> {
  const answer = await fetch(url, {
    headers: { Accept: "text/html" },
    cache: "no-store",
    ...(form ? { method: "POST", body: new URLSearchParams(form) } : {}),
  });
  const away = answer.status === 429 ? null : awayOf(answer);
  if (away) throw away;
  return {
    path: new URL(answer.url).pathname,
    status: answer.status,
    code: answer.headers.get("Voxloop-Code"),
    page: new DOMParser().parseFromString(await answer.text(), "text/html"),
  };
}

const tokenOf = (page: Document): string =>
  page.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]")?.value ?? "";
const metaOf = (page: Document, name: string): string =>
  page.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? "";

function identityOf({ path, page }: Shown): Identity | null {
  const user = metaOf(page, "user"),
    token = metaOf(page, "csrf-token");
  return path === OWN && user && token ? { user, token } : null;
}

/** Who is logged in in this browser just now; null for nobody. Throws `TypeError` without a network. */
export async function identify(): Promise<Identity | null> {
  return identityOf(await show(OWN));
}

/** Name and password. Somebody else who is logged in here is logged out first. Throws `TypeError` without a network. */
export async function logIn(name: string, password: string): Promise<Answer> {
  const other = await identify();
  if (other) await show(LOGOUT, { csrfmiddlewaretoken: other.token });
  const door = await show(`${LOGIN}?next=${encodeURIComponent(OWN)}`);
  if (door.path === CODE) return { kind: "code" };
  return answerTo(
    await show(LOGIN, { csrfmiddlewaretoken: tokenOf(door.page), login: name, password, next: OWN }),
    LOGIN,
  );
}

/** The six digits of the authenticator app, or a recovery code. */
export async function giveCode(code: string): Promise<Answer> {
  const door = await show(CODE);
  return answerTo(await show(CODE, { csrfmiddlewaretoken: tokenOf(door.page), code }), CODE);
}

async function answerTo(shown: Shown, asked: string): Promise<Answer> {
  if (shown.code === "too_many_requests")
    return { kind: "refused", text: t("Too many log-ins were tried from here; wait a minute and try again.") };
  if (shown.status === 429)
    return {
      kind: "refused",
      text: t("This name is locked for 15 minutes after 5 wrong passwords; wait, or ask an administrator."),
    };
  if (shown.path === CODE && asked !== CODE) return { kind: "code" };
  if (shown.path !== LOGIN && shown.path !== CODE) {
    const identity = identityOf(shown) ?? (await identify());
    if (identity) return { kind: "in", identity };
  }
  // What is wrong with a field stands beside it; the summary above counts the fields first, then says what is wrong
  // with the form.
  shown.page.querySelector("[role=alert] b")?.remove();
  const said = [".error", "[role=alert]"]
    .flatMap((kind) => [...shown.page.querySelectorAll(kind)])
    .map((part) => part.textContent?.trim())
    .filter(Boolean);
  return {
    kind: "refused",
    text: said[0] ?? t("The server did not let you in; log in on another tab, then try again."),
  };
}
