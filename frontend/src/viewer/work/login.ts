/** Whether the log-in that the page came with still holds, and going on with a new one. */

import { type ReadonlySignal, signal } from "@preact/signals";
import { csrfHeaders, useToken } from "../../ground/api";
import { identify, type Identity } from "./door";

/** How often the page looks by itself whether another tab has logged in. */
const LOOK_AGAIN_MS = 20_000;

export class LogIn {
  readonly #signedOut = signal(false);
  readonly signedOut: ReadonlySignal<boolean> = this.#signedOut;
  readonly #otherUser = signal<string | null>(null);
  /** Somebody else who is logged in in this browser now. */
  readonly otherUser: ReadonlySignal<string | null> = this.#otherUser;
  #lookedAt = -Infinity;

  /** `resume` lets the editor save again with these headers; `resumed`: then the rest may follow. */
  constructor(
    private readonly user: string,
    private readonly resume: (headers: Record<string, string>) => Promise<void>,
    private readonly resumed: () => void,
  ) {}

  /** The server has just taken something of ours. */
  isGood(): void {
    this.#signedOut.value = false;
  }

  /** The server does not know us any more: perhaps a log-in in another tab has brought another token. */
  async lost(): Promise<void> {
    if (performance.now() - this.#lookedAt > LOOK_AGAIN_MS) {
      this.#lookedAt = performance.now();
      const identity = await identify().catch(() => null);
      if (identity && (await this.again(identity))) return;
      this.#otherUser.value = identity?.user ?? null;
    }
    this.#signedOut.value = true;
  }

  /** Go on saving with a new session; false when it is somebody else's: it must not carry these strokes. */
  async again({ user, token }: Identity): Promise<boolean> {
    if (user !== this.user) return false;
    useToken(token);
    this.isGood();
    this.#otherUser.value = null;
    await this.resume(csrfHeaders());
    this.resumed();
    return true;
  }
}
