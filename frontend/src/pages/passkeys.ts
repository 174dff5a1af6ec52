/**
 * Passkeys (WebAuthn, level 2): a button with `data-passkey` asks the browser and sends what it says with the button's
 * form. `create` makes one, `get` proves one; their options stand on the page. `login` asks the server for its options
 * first.
 */

import { readKept, type Shape } from "../ground/check";
import { known } from "../ground/known";

/** A credential that there is, as the server writes it. */
type Known = Omit<PublicKeyCredentialDescriptor, "id"> & { readonly id: string };

/** What the browser is asked for, as the server writes it: bytes are base64url. The browser checks the rest itself. */
type Creation = Omit<PublicKeyCredentialCreationOptions, "challenge" | "user" | "excludeCredentials"> & {
  readonly challenge: string;
  readonly user: Omit<PublicKeyCredentialUserEntity, "id"> & { readonly id: string };
  readonly excludeCredentials?: readonly Known[];
};
type Request = Omit<PublicKeyCredentialRequestOptions, "challenge" | "allowCredentials"> & {
  readonly challenge: string;
  readonly allowCredentials?: readonly Known[];
};

const CREATION: Shape<{ readonly creation_options: { readonly publicKey: Creation } }> = "creation_options:creation";
const REQUEST: Shape<{ readonly request_options: { readonly publicKey: Request } }> = "request_options:request";
const PARTS = {
  creation: "publicKey:publicCreation",
  publicCreation: "challenge:s rp:{* user:user pubKeyCredParams:[{* excludeCredentials?:[known",
  request: "publicKey:publicRequest",
  publicRequest: "challenge:s allowCredentials?:[known",
  user: "id name displayName:s",
  known: "id type:s",
};
const WANTED = "What the passkey is asked for";

const bytesOf = (text: string): ArrayBuffer => {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (sign) => sign.charCodeAt(0)).buffer;
};

const textOf = (bytes: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const knownOf = (rows: readonly Known[]): PublicKeyCredentialDescriptor[] =>
  rows.map((row) => ({ ...row, id: bytesOf(row.id) }));

/** A credential as the server reads it. */
function writeCredential(found: PublicKeyCredential): object {
  const { response } = found;
  const parts: Record<string, ArrayBuffer | null> = { clientDataJSON: response.clientDataJSON };
  if (response instanceof AuthenticatorAttestationResponse) parts["attestationObject"] = response.attestationObject;
  if (response instanceof AuthenticatorAssertionResponse) {
    const { authenticatorData, signature, userHandle } = response;
    Object.assign(parts, { authenticatorData, signature, userHandle });
  }
  return {
    id: found.id,
    rawId: textOf(found.rawId),
    type: found.type,
    response: Object.fromEntries(
      Object.entries(parts).flatMap(([name, bytes]) => (bytes ? [[name, textOf(bytes)]] : [])),
    ),
    clientExtensionResults: found.getClientExtensionResults(),
  };
}

/** What the page asks for, or the server at the log-in. */
async function written(form: HTMLFormElement, kind: string): Promise<string | null | undefined> {
  if (kind !== "login") return document.getElementById("passkey-options")?.textContent;
  const answer = await fetch(form.action, {
    headers: { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" },
    cache: "no-store",
  });
  if (!answer.ok) throw new Error("The server did not answer; try again.");
  return answer.text();
}

async function create(form: HTMLFormElement, text: string | null | undefined): Promise<Credential | null> {
  const { challenge, user, excludeCredentials, ...rest } = known(readKept(text, CREATION, PARTS), WANTED)
    .creation_options.publicKey;
  const publicKey: PublicKeyCredentialCreationOptions = {
    ...rest,
    challenge: bytesOf(challenge),
    user: { ...user, id: bytesOf(user.id) },
  };
  if (excludeCredentials) publicKey.excludeCredentials = knownOf(excludeCredentials);
  if (form.querySelector<HTMLInputElement>("[name=passwordless]")?.checked)
    publicKey.authenticatorSelection = {
      residentKey: "required",
      requireResidentKey: true,
      userVerification: "required",
    };
  return navigator.credentials.create({ publicKey });
}

async function prove(text: string | null | undefined): Promise<Credential | null> {
  const { challenge, allowCredentials, ...rest } = known(readKept(text, REQUEST, PARTS), WANTED).request_options
    .publicKey;
  const publicKey: PublicKeyCredentialRequestOptions = { ...rest, challenge: bytesOf(challenge) };
  if (allowCredentials) publicKey.allowCredentials = knownOf(allowCredentials);
  return navigator.credentials.get({ publicKey });
}

async function ask(button: HTMLButtonElement): Promise<void> {
  const form = button.form as HTMLFormElement,
    kind = button.dataset.passkey ?? "";
  const text = await written(form, kind);
  const found = kind === "create" ? await create(form, text) : await prove(text);
  (form.elements.namedItem("credential") as HTMLInputElement).value = JSON.stringify(
    writeCredential(found as PublicKeyCredential),
  );
  form.submit();
}

/** Browsers make passkeys for names only, never for an address of numbers, and only over https or on localhost. */
const isPossible = (): boolean =>
  "PublicKeyCredential" in window && isSecureContext && !/^[\d.]+$|^\[/.test(location.hostname);

export function keepPasskeys(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-passkey]")) {
    const note = document.getElementById(button.getAttribute("aria-describedby") ?? "");
    if (!isPossible()) {
      button.disabled = true;
      if (note) note.textContent = "Passkeys need an address by name, with https (or localhost).";
      continue;
    }
    button.addEventListener("click", () => {
      ask(button).catch((error: unknown) => {
        const refused = error instanceof DOMException;
        if (note)
          note.textContent = refused
            ? "The browser gave no passkey; nothing was changed. Try again."
            : (error as Error).message;
      });
    });
  }
}
