/** The image-level questions of the label schema. */

import type { ComponentChildren } from "preact";
import type { Question } from "../context";
import { useDesk } from "../desk";
import { t } from "../language";
import { Kbd } from "./controls";

export function QuestionsTab() {
  const desk = useDesk();
  const { session, work } = desk;
  const editable = session.context.can.submit;
  const { questions } = session.context.schema;
  const firstOptional = questions.findIndex((q) => !q.required);
  return (
    <form class="sec questions" onSubmit={(e) => e.preventDefault()} data-testid="questions">
      {questions.length === 0 && <p class="small faint">{t("This campaign asks no questions.")}</p>}
      {!editable && questions.length > 0 && <p class="small faint">{t("Answers of the annotator; read only.")}</p>}
      {editable && questions.length > 0 && <p class="small faint"><Kbd keys="Shift+Q" /> {t("next unanswered; digits choose an answer, Enter goes on.")}{firstOptional !== 0 && <> {t("An asterisk marks what must be answered.")}</>}</p>}
      {questions.map((question) => (
        <Field
          key={question.key} question={question} value={work.answers.value[question.key]} disabled={!editable}
          set={(v) => work.setAnswer(question.key, v)} next={() => desk.nextUnanswered(question.key)}
        />
      ))}
    </form>
  );
}

interface FieldProps { readonly question: Question; readonly value: unknown; readonly disabled: boolean; readonly set: (value: unknown) => void; readonly next: () => void }

function Field(props: FieldProps) {
  const { question, value, disabled, set, next } = props;
  const id = `question-${question.key}`;
  const title = <Title question={question} isMissing={value === undefined} />;
  const go = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.isComposing) return;
    event.preventDefault();
    next();
  };
  if (question.kind === "boolean" && !question.required) {
    return (
      <div class="q" id={id} onKeyDown={go}>
        <label class="choice"><input type="checkbox" disabled={disabled} checked={value === true} data-testid={`answer-${question.key}`} onChange={(e) => set(e.currentTarget.checked ? true : null)} /><span>{title}</span></label>
      </div>
    );
  }
  if (question.kind === "choice" || question.kind === "choices" || question.kind === "boolean") return <Choices {...props} title={title} go={go} />;
  return (
    <div class="q field" id={id} onKeyDown={go}>
      <label for={`${id}-input`}>{title}</label>
      {question.kind === "number"
        ? <input class="input" id={`${id}-input`} type="number" disabled={disabled} required={question.required} value={value === undefined ? "" : String(value)} data-testid={`answer-${question.key}`} onInput={(e) => set(e.currentTarget.value === "" ? null : Number(e.currentTarget.value))} />
        : <input class="input" id={`${id}-input`} type="text" disabled={disabled} required={question.required} value={value === undefined ? "" : String(value)} data-testid={`answer-${question.key}`} onInput={(e) => set(e.currentTarget.value)} />}
    </div>
  );
}

function Title({ question, isMissing }: { readonly question: Question; readonly isMissing: boolean }) {
  return <>{question.text}{question.required && <><span class="warn" aria-hidden="true"> *</span><span class="vh"> {t("(required)")}</span>{isMissing && <span class="warn small"> {t("no answer yet")}</span>}</>}</>;
}

/** One or several of a list; a boolean that must be answered is a choice of yes and no. */
function Choices({ question, value, disabled, set, title, go }: FieldProps & { readonly title: ComponentChildren; readonly go: (event: KeyboardEvent) => void }) {
  const many = question.kind === "choices";
  const options: readonly { readonly value: unknown; readonly name: string; readonly label: string }[] = question.kind === "boolean"
    ? [{ value: true, name: "yes", label: t("Yes") }, { value: false, name: "no", label: t("No") }]
    : question.options.map((option) => ({ value: option.value, name: option.value, label: option.label }));
  const chosen: readonly unknown[] = many ? (Array.isArray(value) ? value : []) : [value];
  const choose = (option: unknown) => {
    if (!many) { set(option); return; }
    const next = chosen.includes(option) ? chosen.filter((v) => v !== option) : [...chosen, option];
    set(next.length ? next : null);
  };
  const press = (event: KeyboardEvent) => {
    go(event);
    const n = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
    const option = options[Number(n) - 1];
    if (!option || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    // Here a digit is an answer, not a segment.
    event.preventDefault();
    event.stopPropagation();
    choose(option.value);
    (event.currentTarget as HTMLElement).querySelectorAll("input")[Number(n) - 1]?.focus();
  };
  return (
    <fieldset class="q" id={`question-${question.key}`} disabled={disabled} onKeyDown={press} aria-required={many ? undefined : question.required} role={many ? undefined : "radiogroup"}>
      <legend>{title}</legend>
      {options.map((option, n) => (
        <label class="choice" key={option.name}>
          <input
            type={many ? "checkbox" : "radio"} name={question.key} value={option.name} checked={chosen.includes(option.value)} data-testid={`answer-${question.key}-${option.name}`}
            onChange={() => choose(option.value)}
          /><span class="grow">{option.label}</span>{!disabled && n < 9 && <kbd aria-hidden="true">{n + 1}</kbd>}
        </label>
      ))}
    </fieldset>
  );
}
