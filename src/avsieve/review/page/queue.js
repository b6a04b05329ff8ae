// One clip after the other. The page goes on when the server has said that the decision is on its disk.

import { html, useEffect, useRef, useState } from "./html.js";
import { ask, below, connection } from "./api.js";
import { acting } from "./acts.js";
import { go, replace, to } from "./route.js";
import { Judge } from "./judge.js";
import { LEFT_TO_LOAD, Line } from "./line.js";
import { prefetch } from "./clip.js";
import { useOtherTabs } from "./tabs.js";
import { count, told } from "./words.js";

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
    mine
      .start(anew)
      .then(async () => {
        const undone = app.leftUndone();
        if (undone) await mine.show(undone);
        if (line.current !== mine) return;
        prefetch(mine.items.slice(0, LEFT_TO_LOAD));
        setReady(true);
      })
      .catch((failed) => setError(failed.message));
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
  useOtherTabs(async (message) => {
    const mine = line.current;
    if (!ready) return;
    try {
      const settled = await mine.heard(message);
      // Who is writing a name or waits for the disk is told when that is saved.
      if (settled && !acting() && !document.querySelector("dialog[open]")) {
        app.say(`Decided in another tab: ${told(settled)} of ${mine.item.utterance}`);
        await mine.forward();
      }
      if (line.current === mine) redraw();
    } catch (failed) {
      setError(failed.message);
    }
  });

  const { current } = line;
  const chooser = html`<label class="chooser">Queue <select value=${name} onChange=${(event) => go(to("queue", event.target.value))}>
    ${run.queues.map((queue) => html`<option key=${queue.name} value=${queue.name} selected=${queue.name === name}>${queue.label}</option>`)}
  </select></label>`;
  if (error) return html`<main>${chooser}<p class="bad" role="alert">${error}</p><button onClick=${() => begin(true)}>Try again</button></main>`;
  if (!ready || !current) return html`<main>${chooser}<p class="quiet">Loading …</p></main>`;
  const { item } = current;
  const moves = {
    queue: name,
    saved: async (noted) => {
      current.saved(item, noted);
      await current.forward();
      redraw();
    },
    stale: async () => {
      item.decision = (await ask(below("/api/item", item.utterance))).decision;
      redraw();
    },
    next: () => current.forward().then(redraw, (failed) => setError(failed.message)),
    back: () => (current.back() ? redraw() : app.say("This is the first clip.")),
    undone: async (answer) => {
      await current.show(answer);
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
  app.useActions(run, { back: moves.back, undo: () => app.undo(moves.undone, name) });
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
