/** A button with a small panel below it, in the browser's top layer. */

import type { ComponentChildren } from "preact";
import { useId, useRef } from "preact/hooks";
import { Icon, type IconName } from "./icons";

interface MenuProps {
  readonly icon?: IconName;
  /** The icon stands for the words only where there is no room for them. */
  readonly spare?: boolean;
  readonly words?: string;
  readonly label: string;
  readonly title: string;
  readonly active?: boolean;
  readonly testid: string;
  readonly children: ComponentChildren;
}

export function Menu({ icon, spare = false, words, label, title, active = false, testid, children }: MenuProps) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const putBeside = (event: { readonly currentTarget: EventTarget | null; readonly newState: string }) => {
    const panel = event.currentTarget as HTMLElement;
    const box = button.current?.getBoundingClientRect();
    if (event.newState !== "open" || !box) return;
    panel.style.top = `${box.bottom + 4}px`;
    panel.style.left = `${Math.max(8, Math.min(box.left, innerWidth - panel.offsetWidth - 8))}px`;
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        class={`btn btn-ghost menubtn${spare ? " spare" : ""}${words ? "" : " btn-icon"}${active ? " on" : ""}`}
        aria-label={words ? undefined : label}
        title={title}
        data-testid={testid}
        popovertarget={id}
      >
        {icon && <Icon name={icon} size="sm" />}
        {words && <span class="words">{words}</span>}
      </button>
      <div id={id} popover="auto" class="menu" role="group" aria-label={label} onToggle={putBeside}>
        {children}
      </div>
    </>
  );
}
