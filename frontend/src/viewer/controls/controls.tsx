/** Small controls of the panels: slider, switch, tooltip with key. */

import type { ComponentChildren } from "preact";
import { currentKey, keyWords, withKey } from "../../ground/shortcuts";
import { Icon, type IconName } from "./icons";

/** A key, as it is called here. */
export function Key({ name }: { readonly name: string }) {
  return <kbd aria-hidden="true">{keyWords(name)}</kbd>;
}

/** The key that a command has now; `keys` is the one that it came with. */
export function Kbd({ keys }: { readonly keys: string }) {
  const now = currentKey(keys);
  return now ? <Key name={now} /> : null;
}

interface SliderProps {
  readonly id: string;
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step?: number;
  readonly text: string;
  readonly hint?: string | undefined;
  readonly onChange: (value: number) => void;
}

export function Slider({ id, label, value, min, max, step = 1, text, hint, onChange }: SliderProps) {
  return (
    <div class="set">
      <div class="row between">
        <label for={id}>{label}</label>
        <output class="medium" for={id}>
          {text}
        </output>
      </div>
      <input
        id={id}
        data-testid={id}
        class="range"
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        aria-valuetext={text}
        style={`--v:${((value - min) / (max - min)) * 100}%`}
        onInput={(e) => onChange(Number(e.currentTarget.value))}
      />
      {hint && <p>{hint}</p>}
    </div>
  );
}

interface SwitchProps {
  readonly id: string;
  readonly label: string;
  readonly on: boolean;
  readonly hint?: string;
  readonly keys?: string | undefined;
  readonly onChange: (on: boolean) => void;
}

export function Switch({ id, label, on, hint, keys, onChange }: SwitchProps) {
  return (
    <label class="row between set1" title={hint && withKey(hint, keys)}>
      <span class="clip">{label}</span>
      <span class="row-tight">
        {keys && <Kbd keys={keys} />}
        <input
          id={id}
          data-testid={id}
          type="checkbox"
          role="switch"
          class="vh"
          checked={on}
          onChange={(e) => onChange(e.currentTarget.checked)}
        />
        <span class={`switch${on ? " on" : ""}`} aria-hidden="true" />
      </span>
    </label>
  );
}

interface ButtonProps {
  readonly icon?: IconName;
  readonly children?: ComponentChildren;
  readonly label?: string;
  readonly title?: string;
  readonly keys?: string | undefined;
  readonly kind?: string;
  readonly disabled?: boolean;
  readonly pressed?: boolean;
  readonly testid?: string;
  /** `ref` of the element. */
  readonly element?: (element: HTMLElement | null) => void;
  readonly onClick: () => void;
}

/** A button; without words inside it needs `label`. */
export function Button({
  icon,
  children,
  label,
  title,
  keys,
  kind = "",
  disabled,
  pressed,
  testid,
  element,
  onClick,
}: ButtonProps) {
  return (
    <button
      ref={element ?? null}
      type="button"
      class={`btn ${kind}${children ? "" : " btn-icon"}`}
      aria-label={label}
      title={withKey(title ?? label ?? "", keys) || undefined}
      aria-pressed={pressed}
      disabled={disabled}
      data-testid={testid}
      onClick={onClick}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}
