/**
 * Passkeys (WebAuthn, level 2): a button with `data-passkey` asks the browser and sends what it says with the button's form.
 * `create` makes one, `get` proves one; their options stand on the page. `login` asks the server for its options first.
 */

type Json = { [name: string]: unknown };

const bytesOf = (text: string): ArrayBuffer => {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (sign) => sign.charCodeAt(0)).buffer;
};

const textOf = (bytes: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

/** Options as the server writes them, with their bytes as bytes. */
function readOptions(options: Json): Json {
  const read = { ...options, challenge: bytesOf(options.challenge as string) } as Json;
  for (const list of ["excludeCredentials", "allowCredentials"]) {
    const rows = options[list] as { id: string }[] | undefined;
    if (rows) read[list] = rows.map((row) => ({ ...row, id: bytesOf(row.id) }));
  }
  const user = options.user as { id: string } | undefined;
  return user ? { ...read, user: { ...user, id: bytesOf(user.id) } } : read;
}

/** A credential as the server reads it. */
function writeCredential(found: PublicKeyCredential): Json {
  const said = found.response as unknown as { [name: string]: ArrayBuffer | null };
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const response = Object.fromEntries(parts.flatMap((name) => (said[name] ? [[name, textOf(said[name])]] : [])));
  return {
    id: found.id,
    rawId: textOf(found.rawId),
    type: found.type,
    response,
    clientExtensionResults: found.getClientExtensionResults(),
  };
}

async function optionsOf(form: HTMLFormElement, kind: string): Promise<Json> {
  if (kind === "login") {
    const answer = await fetch(form.action, {
      headers: { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" },
      cache: "no-store",
    });
    if (!answer.ok) throw new Error("The server did not answer; try again.");
    return ((await answer.json()) as { request_options: { publicKey: Json } }).request_options.publicKey;
  }
  const written = JSON.parse(document.getElementById("passkey-options")?.textContent ?? "{}") as {
    [name: string]: { publicKey: Json };
  };
  return (written.creation_options ?? written.request_options).publicKey;
}

async function ask(button: HTMLButtonElement): Promise<void> {
  const form = button.form as HTMLFormElement,
    kind = button.dataset.passkey ?? "";
  const options = readOptions(await optionsOf(form, kind));
  if (kind === "create" && form.querySelector<HTMLInputElement>("[name=passwordless]")?.checked) {
    options.authenticatorSelection = {
      residentKey: "required",
      requireResidentKey: true,
      userVerification: "required",
    };
  }
  const found =
    kind === "create"
      ? await navigator.credentials.create({ publicKey: options as unknown as PublicKeyCredentialCreationOptions })
      : await navigator.credentials.get({ publicKey: options as unknown as PublicKeyCredentialRequestOptions });
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
