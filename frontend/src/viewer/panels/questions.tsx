/** The image-level questions of the label schema. */

import { useDesk } from "../desk";
import type { Question } from "../context";

export function QuestionsTab() {
  const { session, work } = useDesk();
  const editable = session.context.can.submit;
  const { questions } = session.context.schema;
  return (
    <form class="sec questions" onSubmit={(e) => e.preventDefault()} data-testid="questions">
      {questions.length === 0 && <p class="small faint">This campaign asks no questions.</p>}
      {!editable && questions.length > 0 && <p class="small faint">Answers of the annotator; read only.</p>}
      {questions.map((question) => <Field key={question.key} question={question} value={work.answers.value[question.key]} disabled={!editable} set={(v) => work.setAnswer(question.key, v)} />)}
    </form>
  );
}

interface FieldProps { readonly question: Question; readonly value: unknown; readonly disabled: boolean; readonly set: (value: unknown) => void }

function Field({ question, value, disabled, set }: FieldProps) {
  const id = `question-${question.key}`;
  const missing = question.required && value === undefined;
  const title = <>{question.text}{question.required && <span class={missing ? "warn" : "faint"}> {missing ? "required" : ""}</span>}</>;
  if (question.kind === "boolean") {
    return (
      <div class="q" id={id}>
        <label class="choice"><input type="checkbox" disabled={disabled} checked={value === true} data-testid={`answer-${question.key}`} onChange={(e) => set(e.currentTarget.checked)} /><span>{title}</span></label>
      </div>
    );
  }
  if (question.kind === "choice" || question.kind === "choices") {
    const many = question.kind === "choices";
    const chosen = many ? (Array.isArray(value) ? value as string[] : []) : [value];
    return (
      <fieldset class="q" id={id} disabled={disabled}>
        <legend>{title}</legend>
        {question.options.map((option) => (
          <label class="choice" key={option.value}>
            <input
              type={many ? "checkbox" : "radio"} name={question.key} value={option.value} checked={chosen.includes(option.value)} data-testid={`answer-${question.key}-${option.value}`}
              onChange={(e) => {
                if (!many) { set(option.value); return; }
                const next = e.currentTarget.checked ? [...chosen, option.value] : chosen.filter((v) => v !== option.value);
                set(next.length ? next : null);
              }}
            /><span>{option.label}</span>
          </label>
        ))}
      </fieldset>
    );
  }
  return (
    <div class="q field" id={id}>
      <label for={`${id}-input`}>{title}</label>
      {question.kind === "number"
        ? <input class="input" id={`${id}-input`} type="number" disabled={disabled} value={value === undefined ? "" : String(value)} data-testid={`answer-${question.key}`} onInput={(e) => set(e.currentTarget.value === "" ? null : Number(e.currentTarget.value))} />
        : <input class="input" id={`${id}-input`} type="text" disabled={disabled} value={value === undefined ? "" : String(value)} data-testid={`answer-${question.key}`} onInput={(e) => set(e.currentTarget.value)} />}
    </div>
  );
}
