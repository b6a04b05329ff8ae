// What the table is searched for.

import { html, useEffect, useRef, useState } from "./html.js";
import { DECISIONS } from "./words.js";

const WAIT_MS = 250;
export const FILTERS = ["q", "speaker", "video", "kind", "modality", "flagged", "reviewed", "decision", "p_min", "p_max", "disagree"];

const CHOICES = [
  ["flagged", "Flagged", [["yes", "yes"], ["no", "no"]]],
  ["kind", "What is wrong", [["video", "voice and face"], ["audio", "voice"], ["visual", "face"]]],
  ["modality", "Concerns", [["audio", "the voice"], ["visual", "the face"]]],
  ["reviewed", "Reviewed", [["yes", "by anybody"], ["mine", "by me"], ["no", "by nobody"]]],
  ["decision", "My decision", DECISIONS.map(({ name, label, sign }) => [name, `${sign} ${label.toLowerCase()}`])],
];

/** A text that is searched for when one has stopped typing. */
function Typed({ label, name, value, onValue, ...more }) {
  const [text, setText] = useState(value);
  const sent = useRef(value);
  useEffect(() => {
    if (value !== sent.current) setText(value);
    sent.current = value;
  }, [value]);
  useEffect(() => {
    if (text === sent.current) return undefined;
    const timer = setTimeout(() => {
      sent.current = text;
      onValue(name, text);
    }, WAIT_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return html`<label>${label} <input name=${name} value=${text} autocomplete="off" spellcheck=${false} ...${more}
    onInput=${(event) => setText(event.target.value)} /></label>`;
}

/** The form; `onValue(name, value)` is told of each change. */
export function Filters({ query, onValue, onClear, second }) {
  const chosen = FILTERS.filter((name) => query[name]).length;
  const number = { type: "number", min: 0, max: 1, step: 0.01, inputmode: "decimal" };
  const text = (name) => query[name] || "";
  return html`<form class="filters" role="search" aria-label="Filter the table" onSubmit=${(event) => event.preventDefault()}>
    <${Typed} label="Id has" name="q" type="search" value=${text("q")} onValue=${onValue} />
    <details open=${matchMedia("(min-width: 700px)").matches || chosen > (query.q ? 1 : 0)}>
      <summary>Filters${chosen ? ` (${chosen})` : ""}</summary>
      <div class="fields">
        <${Typed} label="Label" name="speaker" type="text" value=${text("speaker")} onValue=${onValue} />
        <${Typed} label="Video" name="video" type="text" value=${text("video")} onValue=${onValue} />
        ${CHOICES.map(
          ([name, label, values]) => html`<label key=${name}>${label} <select name=${name} onChange=${(event) => onValue(name, event.target.value)}>
            <option value="" selected=${!query[name]}>any</option>
            ${values.map(([value, word]) => html`<option key=${value} value=${value} selected=${query[name] === value}>${word}</option>`)}
          </select></label>`,
        )}
        <${Typed} label="p from" name="p_min" value=${text("p_min")} onValue=${onValue} ...${number} />
        <${Typed} label="to" name="p_max" value=${text("p_max")} onValue=${onValue} ...${number} />
        ${second && html`<label><input type="checkbox" name="disagree" checked=${query.disagree === "yes"}
          onChange=${(event) => onValue("disagree", event.target.checked ? "yes" : "")} /> the second opinion disagrees</label>`}
        <button type="button" disabled=${!chosen} onClick=${onClear}>Clear</button>
      </div>
    </details>
  </form>`;
}
