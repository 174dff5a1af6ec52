/** The image-level questions of the label schema. */

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Question } from "../../ground/contract";
import { focusFirstField } from "../desk/attention";
import { useDesk } from "../desk/desk";
import { t, tn } from "../../ground/language";
import { numberOf, shownQuestions } from "../work/questions";
import { Kbd } from "../controls/controls";

export function QuestionsTab() {
  const desk = useDesk();
  const { session, work } = desk;
  const editable = work.canAnswer;
  const questions = shownQuestions(session.context.schema.questions, work.answers.value);
  const firstOptional = questions.findIndex((q) => !q.required);
  return (
    <form class="sec questions" onSubmit={(e) => e.preventDefault()} data-testid="questions">
      {questions.length === 0 && <p class="small faint">{t("This campaign asks no questions.")}</p>}
      {session.context.can.correct && questions.length > 0 && (
        <p class="small faint">{t("Answers of the annotator; what you change goes with your correction.")}</p>
      )}
      {!editable && questions.length > 0 && <p class="small faint">{t("Answers of the annotator; read only.")}</p>}
      {editable && questions.length > 0 && (
        <p class="small faint">
          <Kbd keys="Shift+Q" /> {t("next unanswered; digits choose an answer, Enter goes on.")}
          {firstOptional !== 0 && <> {t("An asterisk marks what must be answered.")}</>}
        </p>
      )}
      {questions.map((question) => (
        <Field
          key={question.key}
          question={question}
          value={work.answers.value[question.key]}
          disabled={!editable}
          set={(v) => work.setAnswer(question.key, v)}
          next={() => desk.nextUnanswered(question.key)}
        />
      ))}
    </form>
  );
}

interface FieldProps {
  readonly question: Question;
  readonly value: unknown;
  readonly disabled: boolean;
  readonly set: (value: unknown) => void;
  readonly next: () => void;
}
type TypedProps = FieldProps & { readonly title: ComponentChildren; readonly go: (event: KeyboardEvent) => void };

function Field(props: FieldProps) {
  const { question, value, disabled, set, next } = props;
  const id = `question-${question.key}`;
  const ref = useDesk().attention.ref(id, focusFirstField);
  const title = <Title question={question} isMissing={value === undefined} />;
  const go = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.isComposing) return;
    event.preventDefault();
    next();
  };
  if (question.kind === "boolean" && !question.required) {
    return (
      <div class="q" id={id} ref={ref} data-depends={question.shown_when !== null} onKeyDown={go}>
        <label class="choice">
          <input
            type="checkbox"
            disabled={disabled}
            checked={value === true}
            data-testid={`answer-${question.key}`}
            onChange={(e) => set(e.currentTarget.checked ? true : null)}
          />
          <span>{title}</span>
        </label>
      </div>
    );
  }
  if (question.kind === "choice" || question.kind === "choices" || question.kind === "boolean")
    return <Choices {...props} title={title} go={go} />;
  return <Typed {...props} title={title} go={go} />;
}

/** Short text or a number, with what fits said below. What does not fit stays in the field and is no answer. */
function Typed({ question, value, disabled, set, title, go }: TypedProps) {
  const id = `question-${question.key}`;
  const ref = useDesk().attention.ref(id, focusFirstField);
  const isNumber = question.kind === "number";
  const known = typeof value === "string" || typeof value === "number" ? String(value) : "";
  const [text, setText] = useState(known);
  const typed = isNumber ? numberOf(question, text) : text.trim();
  const misfits = isNumber && text.trim() !== "" && typed === null;
  // An answer from elsewhere (a reload, another tab) replaces what is shown, unless it is what was typed.
  useEffect(() => {
    if (!misfits && known !== String(typed ?? "")) setText(known);
  }, [known]);
  const hint = isNumber ? range(question) : "";
  return (
    <div class="q field" id={id} ref={ref} data-depends={question.shown_when !== null} onKeyDown={go}>
      <label for={`${id}-input`}>{title}</label>
      <span class="row">
        <input
          class={`input${isNumber ? " short num" : ""}`}
          id={`${id}-input`}
          type="text"
          inputMode={isNumber ? "decimal" : "text"}
          autocomplete="off"
          disabled={disabled}
          maxLength={isNumber ? 20 : question.max_length}
          aria-required={question.required}
          aria-invalid={misfits}
          aria-describedby={hint ? `${id}-hint` : undefined}
          value={text}
          data-testid={`answer-${question.key}`}
          onInput={(event) => {
            const next = event.currentTarget.value;
            setText(next);
            set(isNumber ? numberOf(question, next) : next.trim());
          }}
        />
        {question.unit && <span class="small">{question.unit}</span>}
        {hint && (
          <span class={`small ${misfits ? "warn" : "faint"}`} id={`${id}-hint`} role={misfits ? "alert" : undefined}>
            {hint}
          </span>
        )}
      </span>
    </div>
  );
}

/** What a number may be, in words. */
function range({ min, max, decimals }: Question): string {
  const whole = decimals === 0 ? t("whole number") : tn(decimals, "{n} decimal", "{n} decimals");
  if (min !== null && max !== null) return `${t("{min} to {max}", { min, max })}, ${whole}`;
  return min !== null
    ? `${t("{min} or more", { min })}, ${whole}`
    : max !== null
      ? `${t("{max} or less", { max })}, ${whole}`
      : whole;
}

function Title({ question, isMissing }: { readonly question: Question; readonly isMissing: boolean }) {
  return (
    <>
      {question.text}
      {question.required && (
        <>
          <span class="warn" aria-hidden="true">
            {" "}
            *
          </span>
          <span class="vh"> {t("(required)")}</span>
          {isMissing && <span class="warn small"> {t("no answer yet")}</span>}
        </>
      )}
    </>
  );
}

/** One or several of a list; a boolean that must be answered is a choice of yes and no. */
function Choices({ question, value, disabled, set, title, go }: TypedProps) {
  const id = `question-${question.key}`;
  const ref = useDesk().attention.ref(id, focusFirstField);
  const many = question.kind === "choices";
  const options: readonly { readonly value: unknown; readonly name: string; readonly label: string }[] =
    question.kind === "boolean"
      ? [
          { value: true, name: "yes", label: t("Yes") },
          { value: false, name: "no", label: t("No") },
        ]
      : question.options.map((option) => ({ value: option.value, name: option.value, label: option.label }));
  const chosen: readonly unknown[] = many ? (Array.isArray(value) ? value : []) : [value];
  const choose = (option: unknown) => {
    if (!many) {
      set(option);
      return;
    }
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
    <fieldset
      class="q"
      id={id}
      ref={ref}
      data-depends={question.shown_when !== null}
      disabled={disabled}
      onKeyDown={press}
      aria-required={many ? undefined : question.required}
      role={many ? undefined : "radiogroup"}
    >
      <legend>{title}</legend>
      {options.map((option, n) => (
        <label class="choice" key={option.name}>
          <input
            type={many ? "checkbox" : "radio"}
            name={question.key}
            value={option.name}
            checked={chosen.includes(option.value)}
            data-testid={`answer-${question.key}-${option.name}`}
            onChange={() => choose(option.value)}
          />
          <span class="grow">{option.label}</span>
          {!disabled && n < 9 && <kbd aria-hidden="true">{n + 1}</kbd>}
        </label>
      ))}
    </fieldset>
  );
}
