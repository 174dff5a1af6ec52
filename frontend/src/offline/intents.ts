/** Answers that the server has not, and scans to be handed in, kept until there is a network again. One list a person. */

export interface Intent {
  readonly assignment: string;
  readonly code: string;
  readonly answers?: Readonly<Record<string, unknown>>;
  /** Hand it in once strokes and answers are on the server; the server's own checks decide then. */
  readonly submit?: { readonly acknowledged: readonly string[]; readonly at: string };
}

const keyOf = (user: string): string => `voxloop.intents:${user}`;

export function intentsOf(user: string): Readonly<Record<string, Intent>> {
  try { return JSON.parse(localStorage.getItem(keyOf(user)) ?? "{}") as Record<string, Intent>; } catch { return {}; }
}

export function intentOf(user: string, assignment: string): Intent | null { return intentsOf(user)[assignment] ?? null; }

/** Keeps a part of an intent; `undefined` values take it out. A full store keeps what it had. */
export function keepIntent(user: string, intent: Intent): void {
  const all = { ...intentsOf(user), [intent.assignment]: { ...intentOf(user, intent.assignment), ...intent } };
  const kept = all[intent.assignment];
  if (!kept.answers && !kept.submit) delete all[intent.assignment];
  try {
    if (Object.keys(all).length) localStorage.setItem(keyOf(user), JSON.stringify(all));
    else localStorage.removeItem(keyOf(user));
  } catch { /* a full or closed store: the page itself still holds it */ }
}
