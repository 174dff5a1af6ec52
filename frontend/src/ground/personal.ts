/** The keys that the page came with: of the person (unsent work) and of the log-in (copies of voxels). */

const read = (): readonly string[] =>
  typeof document === "undefined"
    ? []
    : (document.querySelector<HTMLMetaElement>('meta[name="browser-keys"]')?.content ?? "").split(" ").filter(Boolean);

export const personKey = (): string | undefined => read()[0];
export const loginKey = (): string | undefined => read()[1];
