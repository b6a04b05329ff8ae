// All clips of a speaker or a video at a glance: mark the wrong ones, take the rest as right.

import { html, useEffect, useState } from "./html.js";
import { ask, save } from "./api.js";
import { PlayButton } from "./clip.js";
import { DECISIONS, count, told } from "./words.js";
import { go, to } from "./route.js";

const PAGE = 96;
const MARKS = DECISIONS.filter(({ name }) => ["wrong_clip", "wrong_face", "wrong_voice", "unsure"].includes(name));

/** The view; `query` has speaker, video and offset. */
export function Sheet({ run, query, app }) {
  const { speaker = "", video = "" } = query;
  const offset = Number.parseInt(query.offset, 10) || 0;
  const [found, setFound] = useState(null);
  const [error, setError] = useState("");
  const [marked, setMarked] = useState(new Set());
  const [as, setAs] = useState("wrong_clip");
  const [busy, setBusy] = useState(false);
  const load = () => {
    setError("");
    if (!speaker && !video) return Promise.resolve(setFound(null));
    return ask("/api/sheet", { speaker, video, offset, limit: PAGE }).then(setFound, (failed) => {
      setFound(null);
      setError(failed.message);
    });
  };
  useEffect(() => {
    setFound(null);
    setMarked(new Set());
    load();
  }, [speaker, video, offset]);
  const toggle = (utterance) => {
    const now = new Set(marked);
    if (!now.delete(utterance)) now.add(utterance);
    setMarked(now);
  };
  const open = found?.items.filter((item) => !item.decision && !marked.has(item.utterance)) || [];
  const store = async () => {
    if (busy || !found) return;
    const decisions = [
      ...[...marked].map((utterance) => ({ utterance, decision: as })),
      ...open.map(({ utterance }) => ({ utterance, decision: "right" })),
    ];
    if (!decisions.length) return app.say("All clips of this sheet are decided: mark those that you want to change.");
    setBusy(true);
    setError("");
    try {
      const answer = await save(decisions, true);
      app.saved(`Saved: ${marked.size} ${told(as)}, ${open.length} right`, answer.progress);
      setMarked(new Set());
      await load();
    } catch (failed) {
      setError(`NOT SAVED, nothing of this sheet. ${failed.message}`);
    } finally {
      setBusy(false);
    }
    return null;
  };
  app.useActions(run, { Enter: store, undo: () => app.undo(load) });
  const keyed = (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    store();
  };
  const page = (to_) => go(to("sheet", "", { speaker, video, offset: to_ || "" }));
  return html`<main class="sheet">
    <${Chooser} speaker=${speaker} video=${video} />
    ${error && html`<p class="bad loud" role="alert">${error}</p>`}
    ${busy && app.lost && html`<p class="bad loud" role="alert">NOT SAVED YET. ${app.lost}</p>`}
    ${!found && !error && html`<p class="quiet">${speaker || video ? "Loading …" : "Name a speaker to see all of the label's clips."}</p>`}
    ${
      found &&
      html`<p>${count(found.total, "clip")} of ${video || speaker}. Click the clips that are not ${speaker || "the label's"};${" "}
          <kbd>Enter</kbd> saves them, and takes the others that are not decided as right.</p>
        <div class="line bar">
          <label>Marked ones are <select value=${as} onChange=${(event) => setAs(event.target.value)}>
            ${MARKS.map(({ name, label, sign }) => html`<option key=${name} value=${name} selected=${name === as}>${sign} ${label.toLowerCase()}</option>`)}
          </select></label>
          <button type="button" class="main" aria-disabled=${busy} onClick=${store}>
            Save ${marked.size} marked and ${open.length} right <kbd>Enter</kbd></button>
          <button type="button" onClick=${() => app.undo(load)}>Undo <kbd>${run.keys.undo[0]}</kbd></button>
          ${found.total > PAGE &&
          html`<span>
            <button type="button" disabled=${offset === 0} onClick=${() => page(Math.max(0, offset - PAGE))}>← Before</button>
            ${` ${(offset + 1).toLocaleString("en")}–${(offset + found.items.length).toLocaleString("en")} `}
            <button type="button" disabled=${offset + PAGE >= found.total} onClick=${() => page(offset + PAGE)}>After →</button>
          </span>`}
        </div>
        <ul class="tiles">
          ${found.items.map(
            (item) => html`<li key=${item.utterance}>
              <${Tile} item=${item} marked=${marked.has(item.utterance)} as=${as} onToggle=${() => toggle(item.utterance)} onKey=${keyed} />
              <div class="line">
                ${run.has_voices && html`<${PlayButton} url="/media/voice/${item.row}.wav" label="Play ${item.utterance}"></${PlayButton}>`}
                <a class="id" href=${to("item", item.utterance)} title=${item.utterance}>${item.utterance.split("/").slice(1).join("/")}</a>
              </div>
            </li>`,
          )}
        </ul>`
    }
  </main>`;
}

function Tile({ item, marked, as, onToggle, onKey }) {
  const state = marked ? told(as) : item.decision ? told(item.decision) : "";
  return html`<button type="button" class="tile ${marked ? "marked" : ""} ${item.decision || ""}" aria-pressed=${marked}
    aria-label="${item.utterance}${state && `, ${state}`}" onClick=${onToggle} onKeyDown=${onKey}>
    ${item.face ? html`<img src=${item.face} alt="" width="112" height="112" loading="lazy" />` : html`<span class="face broken">no face</span>`}
    <span class="state">${state || html`<span class="quiet">–</span>`}</span>
  </button>`;
}

function Chooser({ speaker, video }) {
  const [text, setText] = useState(video || speaker);
  const [names, setNames] = useState([]);
  useEffect(() => setText(video || speaker), [speaker, video]);
  useEffect(() => {
    let gone = false;
    ask("/api/speakers", { q: text.split("/")[0], limit: 20 }).then(
      (answer) => gone || setNames(answer.speakers),
      () => {},
    );
    return () => {
      gone = true;
    };
  }, [text]);
  const submit = (event) => {
    event.preventDefault();
    const name = text.trim();
    if (name) go(to("sheet", "", name.includes("/") ? { speaker: name.split("/")[0], video: name } : { speaker: name }));
  };
  return html`<form class="line above" onSubmit=${submit}>
    <label>Speaker, or speaker/video${" "}
      <input type="text" list="labels" value=${text} autocomplete="off" spellcheck=${false} onInput=${(event) => setText(event.target.value)} /></label>
    <datalist id="labels">${names.map((name) => html`<option key=${name} value=${name}></option>`)}</datalist>
    <button type="submit">Show</button>
  </form>`;
}
