/** Where the focus goes: parts of the page say their names, whoever wants one brings it up by name. */

type Focus = (element: HTMLElement) => void;

const focusItself: Focus = (element) => element.focus();

/** Into view, with the focus in its first field. */
export const focusFirstField: Focus = (element) => {
  element.scrollIntoView({ block: "nearest" });
  (element.querySelector<HTMLElement>("input, textarea, select") ?? element).focus();
};

export class Attention {
  readonly #parts = new Map<string, { readonly element: HTMLElement; readonly focus: Focus }>();
  #awaited: string | null = null;

  /** `ref` of a part of this name. */
  ref(name: string, focus = focusItself): (element: HTMLElement | null) => void {
    return (element) => {
      if (!element) {
        this.#parts.delete(name);
        return;
      }
      this.#parts.set(name, { element, focus });
      if (this.#awaited === name) this.bring(name);
    };
  }

  /** Put the focus on it after the next drawing of the page, when it is there. */
  bring(name: string): void {
    this.#awaited = null;
    requestAnimationFrame(() => {
      const part = this.#parts.get(name);
      part?.focus(part.element);
    });
  }

  /** Put the focus on it now, or as soon as it is there. */
  await(name: string): void {
    const part = this.#parts.get(name);
    this.#awaited = part ? null : name;
    part?.focus(part.element);
  }
}
