// All clips of a speaker or a video at a glance: mark the wrong ones, take the rest as right.

import { html, useEffect, useRef, useState } from "./html.js";
import { ask } from "./api.js";
import { save } from "./acts.js";
import { Parts, PlayButton } from "./clip.js";
import { DECISIONS, count, told } from "./words.js";
import { go, to } from "./route.js";
import { useOtherTabs } from "./tabs.js";

const PAGE = 96;
const MARKS = DECISIONS.filter(({ name }) => ["wrong_clip", "wrong_face", "wrong_voice", "unsure"].includes(name));

/** Return label and video of an address: `?speaker=` and `?video=`, or `sheet/label`, `sheet/label/video` and an id. */
function named(name, { speaker = "", video = "" }) {
  const parts = name.split("/").filter(Boolean);
  if (speaker || video || !parts.length) return { speaker, video };
  if (parts.length > 3) return { speaker: "", video: name };
  return { speaker: parts[0], video: parts.length > 1 ? parts.slice(0, 2).join("/") : "" };
}

/** The view; `name` and `query` tell speaker and video, and `query` has the offset. */
export function Sheet({ run, name, query, app }) {
  const { speaker, video } = named(name, query);
  const offset = Number.parseInt(query.offset, 10) || 0;
  const [found, setFound] = useState(null);
  const [error, setError] = useState("");
  const [marked, setMarked] = useState(new Set());
  const [as, setAs] = useState("wrong_clip");
  const [busy, setBusy] = useState(false);
  const current = useRef("");
  current.current = JSON.stringify([speaker, video, offset]);
  const load = async () => {
    setError("");
    if (!speaker && !video) return setFound(null);
    const asked = current.current;
    const [answer, told_] = await ask("/api/sheet", { speaker, video, offset, limit: PAGE }).then(
      (sheet) => [sheet, ""],
      (failed) => [null, failed.message],
    );
    if (asked !== current.current) return null; // another sheet is on show by now
    setFound(answer);
    return setError(told_);
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
  useOtherTabs(({ changed }) => {
    const there = new Set(found?.items.map((item) => item.utterance));
    if (changed.some(({ utterance }) => there.has(utterance))) load();
  });
  const stands = new Map(found?.items.map((item) => [item.utterance, item.decision]));
  const open = found?.items.filter((item) => !item.decision && !marked.has(item.utterance)) || [];
  const store = async () => {
    if (busy || !found) return;
    const decisions = [
      ...[...marked].map((utterance) => ({ utterance, decision: as, stands: stands.get(utterance) || "" })),
      ...open.map(({ utterance }) => ({ utterance, decision: "right", stands: "" })),
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
      if (failed.status === 409) await load();
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
      html`<p>${count(found.total, "clip")} of ${video || speaker}. Click the clips that are not ${speaker || "the label's"},
          then save: the others that are not decided are taken as right.</p>
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
                <a class="id" href=${to("item", item.utterance)} title=${item.utterance} aria-label=${item.utterance}><${Parts} texts=${item.utterance.split("/").slice(1)} /></a>
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
