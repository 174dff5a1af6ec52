/** Holds the site's key, and reads and writes files: neither the key nor an original leaves this worker. */

import type { Answer, Asked, Calls, Chosen } from "./calls";
import type { SiteKeys } from "./keys";
import { Refusal } from "./refusal";
import { Judge, packSeries, type Series } from "./series";
import { LIMITS } from "./tables";
import { Vault } from "./vault";
import { type Member, membersOf } from "./zipfile";

type Tell = (done: number, of: number) => void;

const DIRECTORY = "DICOMDIR";
let vault: Vault | null = null;
let series: readonly Series[] = [];
let keys: SiteKeys | null = null;
let campaign = "";

const opened = (): Vault => {
  if (vault) return vault;
  throw new Refusal("no_vault", "Open the key file first.");
};

const one = (id: number): Series => {
  const found = series[id];
  if (found) return found;
  throw new Refusal("no_series", "The files were chosen anew; send them again.");
};

async function membersIn(files: readonly Chosen[]): Promise<Member[]> {
  const found: Member[] = [];
  for (const { name, file } of files) {
    if (/\.zip$/i.test(name)) {
      for (const member of await membersOf(file)) found.push({ ...member, name: `${name}/${member.name}` });
    } else {
      const read = async () => new Uint8Array(await file.arrayBuffer());
      found.push({ name, file, read, size: file.size });
    }
  }
  const listed = found.filter(({ name }) => name.split("/").at(-1)?.toUpperCase() !== DIRECTORY);
  if (!listed.length) throw new Refusal("no_files", "There is no file in it; name the folder that holds the series.");
  if (listed.length > LIMITS.mostFiles) {
    const sentence = `There are more than ${LIMITS.mostFiles} files; send fewer studies at once.`;
    throw new Refusal("too_many_files", sentence);
  }
  return listed;
}

const calls: { [K in keyof Calls]: (take: Calls[K]["take"], tell: Tell) => Promise<Calls[K]["give"]> } = {
  async open({ text, passphrase }) {
    vault = text === null ? await Vault.make(passphrase) : await Vault.open(text, passphrase);
    return true;
  },

  async judge(take, tell) {
    const own = opened().keys(take.campaign);
    const judge = new Judge(own);
    const members = await membersIn(take.files);
    for (const [n, member] of members.entries()) {
      await judge.add(member);
      tell(n + 1, members.length);
    }
    [series, keys, campaign] = [judge.series, own, take.campaign];
    return judge.judged;
  },

  async note({ ids }) {
    for (const origin of ids.flatMap((id) => one(id).origins)) opened().note(campaign, origin);
    return opened().isChanged;
  },

  async seal() {
    return opened().seal();
  },

  async pack({ id }, tell) {
    const found = one(id);
    if (!keys) throw new Refusal("no_vault", "Open the key file first.");
    let done = 0;
    return packSeries(found, keys, () => tell(++done, found.members.length));
  },
};

const say = (answer: Answer) => postMessage(answer);

async function answer({ ask, name, take }: Asked): Promise<void> {
  const tell: Tell = (done, of) => say({ ask, done, of });
  const call = calls[name] as (take: Asked["take"], tell: Tell) => Promise<unknown>;
  try {
    say({ ask, give: await call(take, tell) });
  } catch (error) {
    if (error instanceof Refusal) say({ ask, code: error.code, sentence: error.message });
    // Not the error's own words: they may hold a value of a file.
    else say({ ask, code: "unreadable", sentence: "A file cannot be read any more; choose the files again." });
  }
}

let turn = Promise.resolve();
self.addEventListener("message", (event: MessageEvent<Asked>) => {
  turn = turn.then(() => answer(event.data));
});
