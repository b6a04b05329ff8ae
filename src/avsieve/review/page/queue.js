// One clip after the other. The page goes on when the server has said that the decision is on its disk.

import { html, useEffect, useRef, useState } from "./html.js";
import { ask, below, connection } from "./api.js";
import { go, replace, to } from "./route.js";
import { Judge } from "./judge.js";
import { prefetch } from "./clip.js";
import { count } from "./words.js";

const AHEAD = 8;
const LEFT_TO_LOAD = 4;
const KEPT_BEHIND = 200;

/** The items of a queue as far as they were loaded, and which one is shown. */
class Line {
  constructor(name, run) {
    this.name = name;
    this.where = `avsieve-at-${run.list_sha256.slice(0, 16)}-${run.reviewer}-${name}`;
    this.items = [];
    this.at = 0;
    this.before = ""; // place of the item before the first one
    this.next = "";
    this.facts = { done: 0, total: 0 };
    this.loading = null;
  }

  get item() {
    return this.items[this.at];
  }

  start(anew) {
    // Where one was: clips that were passed over stay passed over when the page is loaded again.
    this.before = anew || this.name === "mine" ? "" : localStorage.getItem(this.where) || "";
    this.items = [];
    this.at = 0;
    this.next = this.before;
    return this.more();
  }

  more() {
    if (this.next === null) return Promise.resolve();
    this.loading ??= this.#load(this.next).finally(() => {
      this.loading = null;
    });
    return this.loading;
  }

  async #load(after) {
    let found;
    try {
      found = await ask(`/api/queue/${encodeURIComponent(this.name)}`, { after, limit: AHEAD });
    } catch (error) {
      if (!after || error.status !== 400) throw error;
      found = await ask(`/api/queue/${encodeURIComponent(this.name)}`, { limit: AHEAD });
    }
    if (this.next !== after) return; // begun anew meanwhile
    for (const item of found.items) item.first = item.decision;
    this.items.push(...found.items);
    this.next = found.next;
    this.facts = { done: found.done, total: found.total };
    prefetch(this.items.slice(this.at + 1, this.at + 1 + LEFT_TO_LOAD));
  }

  /** Take items again of which a server that was started anew does not know the places. */
  async renew() {
    await this.loading;
    this.items.length = Math.min(this.at + 1, this.items.length);
    this.next = this.items.at(-1)?.place || this.before;
    await this.more();
  }

  async forward() {
    if (this.at < this.items.length) this.at += 1;
    if (this.at > KEPT_BEHIND) {
      this.before = this.items[0].place || this.before;
      this.items.shift();
      this.at -= 1;
    }
    this.keep();
    if (this.items.length - this.at <= LEFT_TO_LOAD) {
      const loaded = this.more();
      if (!this.item) await loaded;
    }
    prefetch(this.items.slice(this.at + 1, this.at + 1 + LEFT_TO_LOAD));
  }

  back() {
    if (this.at === 0) return false;
    this.at -= 1;
    this.keep();
    return true;
  }

  /** Show an utterance that was taken back: where it stands, or here. */
  async show(utterance, now) {
    const places = this.items.map((item, k) => (item.utterance === utterance ? k : -1)).filter((k) => k >= 0);
    if (places.length) {
      this.at = places.filter((k) => k <= this.at).at(-1) ?? places[0];
      // One that came a second time hides what was decided the first time.
      this.item.decision = this.item.first === null ? null : now;
      if (!now) this.facts.done -= 1;
    } else {
      const item = await ask(below("/api/item", utterance));
      this.items.splice(this.at, 0, { ...item, first: now, decision: now });
    }
    this.keep();
  }

  keep() {
    if (this.name === "mine") return;
    const before = this.items.slice(0, this.at).findLast((item) => item.place)?.place;
    localStorage.setItem(this.where, before || this.before);
  }
}

/** The view: a queue by its name. */
export function Queue({ run, name, app }) {
  const line = useRef(null);
  const [, draw] = useState(0);
  const redraw = () => draw((n) => n + 1);
  const [error, setError] = useState("");
  const [ready, setReady] = useState(false);
  const begin = (anew) => {
    setReady(false);
    setError("");
    const mine = new Line(name, run);
    line.current = mine;
    mine.start(anew).then(
      () => {
        if (line.current !== mine) return;
        prefetch(mine.items.slice(0, LEFT_TO_LOAD));
        setReady(true);
      },
      (failed) => setError(failed.message),
    );
  };
  useEffect(() => {
    replace(to("queue", name));
    begin(false);
  }, [name]);
  const renewed = connection.renewed;
  const seen = useRef(renewed);
  useEffect(() => {
    if (seen.current === renewed) return;
    seen.current = renewed;
    line.current.renew().then(redraw, (failed) => setError(failed.message));
  }, [renewed]);

  const { current } = line;
  const chooser = html`<label class="chooser">Queue <select value=${name} onChange=${(event) => go(to("queue", event.target.value))}>
    ${run.queues.map((queue) => html`<option key=${queue.name} value=${queue.name} selected=${queue.name === name}>${queue.label}</option>`)}
  </select></label>`;
  if (error) return html`<main>${chooser}<p class="bad" role="alert">${error}</p><button onClick=${() => begin(true)}>Try again</button></main>`;
  if (!ready || !current) return html`<main>${chooser}<p class="quiet">Loading …</p></main>`;
  const { item } = current;
  const moves = {
    saved: async (entry) => {
      current.item.decision = entry.decision;
      current.facts.done += current.item.first ? 0 : 1;
      await current.forward();
      redraw();
    },
    next: () => current.forward().then(redraw, (failed) => setError(failed.message)),
    back: () => (current.back() ? redraw() : app.say("This is the first clip.")),
    undone: async (utterance, now) => {
      await current.show(utterance, now);
      redraw();
    },
  };
  if (!item) {
    return html`<main>${chooser}<${End} line=${current} moves=${moves} app=${app} run=${run} onAnew=${() => begin(true)} /></main>`;
  }
  const { done, total } = current.facts;
  return html`<main>
    <div class="line above">${chooser}
      <span class="quiet">${done.toLocaleString("en")} of ${count(total, "clip")} decided</span>
      <progress max=${total || 1} value=${done} aria-label="Decided of this queue"></progress>
    </div>
    <${Judge} key=${item.place + item.utterance} item=${item} run=${run} app=${app} moves=${moves} />
  </main>`;
}

function End({ line, moves, app, run, onAnew }) {
  app.useActions(run, { back: moves.back, undo: () => app.undo(moves.undone) });
  const left = line.facts.total - line.facts.done;
  const passed = left > 0 && line.name !== "mine";
  return html`<section class="end">
    <h2>${line.facts.total === 0 ? "Nothing stands in this queue." : "The end of this queue."}</h2>
    ${passed && html`<p>${count(left, "clip")} ${left === 1 ? "was" : "were"} passed over.</p>`}
    <div class="line">
      ${passed && html`<button type="button" class="main" onClick=${onAnew}>Show ${left === 1 ? "it" : "them"}</button>`}
      <button type="button" onClick=${moves.back}>Back</button>
      <a class="button" href=${to("progress")}>How far the review is</a>
    </div>
  </section>`;
}
