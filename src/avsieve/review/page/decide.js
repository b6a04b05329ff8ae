// The buttons of the decisions, and the question who it is.

import { html, useEffect, useRef, useState } from "./html.js";
import { ask } from "./api.js";
import { DECISIONS } from "./words.js";

/** A button for each decision; the one that stands is marked. */
export function Decisions({ item, keyOf, busy, spread, onSpread, onDecide }) {
  const others = item.siblings - 1;
  return html`<section class="decisions" aria-label="Decision">
    <div class="buttons" role="group" aria-label="Decide about this clip">
      ${DECISIONS.map(
        ({ name, label, sign, help }) => html`<button key=${name} type="button" class="decision ${name}" title=${help}
          aria-pressed=${item.decision === name} aria-disabled=${busy} aria-keyshortcuts=${keyOf(name)}
          onClick=${() => busy || onDecide(name)}>
          <span class="sign" aria-hidden="true">${sign}</span> ${label} <kbd>${keyOf(name)}</kbd>
        </button>`,
      )}
    </div>
    <label class="spread">
      <input type="checkbox" checked=${spread} disabled=${others < 1} onChange=${(event) => onSpread(event.target.checked)} />
      ${others < 1
        ? "The video has no other clip of this label"
        : `Counts for the video's ${others === 1 ? "other clip" : `${others} other clips`} of this label, too`}
      <kbd>${keyOf("spread")}</kbd>
    </label>
  </section>`;
}

/** Ask who it is; completes labels of the run, and takes other names as they are. */
export function NameDialog({ own, onName, onClose }) {
  const dialog = useRef(null);
  const [text, setText] = useState("");
  const [found, setFound] = useState({ q: "", speakers: [], total: 0 });
  const [chosen, setChosen] = useState(-1);
  useEffect(() => {
    dialog.current.showModal();
  }, []);
  useEffect(() => {
    let gone = false;
    ask("/api/speakers", { q: text.trim(), limit: 8 }).then(
      (answer) => gone || (setFound({ q: text.trim(), ...answer }), setChosen(-1)),
      () => gone || setFound({ q: text.trim(), speakers: [], total: 0 }),
    );
    return () => {
      gone = true;
    };
  }, [text]);
  const speakers = found.speakers.filter((name) => name !== own);
  const name = chosen >= 0 ? speakers[chosen] : text.trim();
  const strange = name && found.q === text.trim() && !found.speakers.includes(name);
  const close = () => dialog.current.close();
  const submit = (event) => {
    event.preventDefault();
    if (name && name !== own) onName(name);
  };
  const move = (event) => {
    const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (way && speakers.length) {
      event.preventDefault();
      setChosen((chosen + way + 1 + speakers.length + 1) % (speakers.length + 1) - 1);
    }
    if (event.key === "Tab" && !event.shiftKey && speakers.length && text.trim() && chosen < 0) {
      event.preventDefault();
      setText(speakers[0]);
    }
  };
  return html`<dialog ref=${dialog} class="name" aria-label="Who is it?" onClose=${onClose}>
    <form onSubmit=${submit}>
      <label for="who">Who is it?</label>
      <input id="who" name="who" type="text" autocomplete="off" spellcheck=${false} autofocus value=${text}
        role="combobox" aria-expanded=${speakers.length > 0} aria-controls="who-list" aria-autocomplete="list"
        aria-activedescendant=${chosen >= 0 ? `who-${chosen}` : null}
        onInput=${(event) => setText(event.target.value)} onKeyDown=${move} />
      <ul id="who-list" role="listbox" aria-label="Labels of the run">
        ${speakers.map(
          (speaker, k) => html`<li key=${speaker} id="who-${k}" role="option" aria-selected=${k === chosen}
            onClick=${() => onName(speaker)}>${speaker}</li>`,
        )}
      </ul>
      <p class="quiet" aria-live="polite">
        ${
          name === own
            ? "That is the label of this clip: decide right, or wrong clip."
            : strange
              ? `${name} is no label of this run: Enter notes it as it stands${speakers.length ? `, Tab makes it ${speakers[0]}` : ""}.`
              : found.total > found.speakers.length
                ? `${found.total.toLocaleString("en")} labels begin like this.`
                : "↑ and ↓ choose, Tab completes."
        }
      </p>
      <div class="line">
        <button type="submit" class="main" disabled=${!name || name === own}>Save${name ? ` ${name}` : ""}</button>
        <button type="button" onClick=${close}>Cancel</button>
      </div>
    </form>
  </dialog>`;
}
