/** A modal dialog of the browser: focus stays inside, Escape closes, and focus goes back to where it was. */

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { t } from "../../ground/language";
import { Button } from "./controls";

interface DialogProps {
  readonly title: string;
  readonly wide?: boolean;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function Dialog({ title, wide, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  // Before the browser paints: what is typed at once after the key that opened it belongs to the dialog.
  useLayoutEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    if (element && !element.open) element.showModal();
    element?.querySelector<HTMLElement>("[data-focus]")?.focus();
    return () => {
      element?.close();
      // What had the focus may be gone: then the pane one works on has it, so that keys go on where they were.
      if (before instanceof HTMLElement && before.isConnected && before !== document.body) before.focus();
      else document.querySelector<HTMLElement>(".pane.active")?.focus({ preventScroll: true });
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`dialog${wide ? " wide" : ""}`}
      aria-labelledby="dialog-title"
      onCancel={(e) => {
        e.preventDefault();
        onClose();
      }}
      onPointerDown={(e) => {
        if (e.target === e.currentTarget) onClose();
      }}
    >
      <div class="dialog-in">
        <header class="row between">
          <h2 id="dialog-title">{title}</h2>
          <Button icon="x" kind="btn-ghost" label={t("Close")} onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  );
}
