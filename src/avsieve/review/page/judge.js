// One clip to be judged: what is seen and heard of it, what the machine thinks if asked, and the decision.

import { html, useEffect, useRef, useState } from "./html.js";
import { ask, below } from "./api.js";
import { save } from "./acts.js";
import { faster, play, stop, toggle } from "./audio.js";
import { Clip, Opinion, References } from "./clip.js";
import { Decisions, NameDialog } from "./decide.js";
import { keyName, percent, told } from "./words.js";
import { go, to } from "./route.js";
import { useOtherTabs } from "./tabs.js";

/** The view of an item; `moves` has saved({decision, entry, progress}), stale(), next(), back(), undone(answer), `queue`. */
export function Judge({ item, run, app, moves }) {
  const [spread, setSpread] = useState(false);
  const [opinion, setOpinion] = useState(null);
  const [naming, setNaming] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState("");
  const going = useRef(false);
  const turn = useRef({ label: -1, suggested: -1 });
  const keyOf = (action) => run.keys[action].map(keyName)[0];

  useEffect(() => {
    if (item.voice) play(item.voice);
    return stop;
  }, []);

  const decide = async (decision, speaker = "") => {
    if (going.current) return;
    going.current = true;
    setBusy(true);
    setNaming(false);
    setFailed("");
    const body = { utterance: item.utterance, decision, stands: item.decision || "", ...(speaker && { speaker }) };
    if (spread && item.siblings > 1) body.spread = true;
    const place = item.answers || item.place;
    if (place) body.place = place;
    try {
      const { entry, progress } = await save([body]);
      const more = body.spread ? ", and the video's other clips" : "";
      app.saved(`Saved: ${told(decision)}${speaker && ` ${speaker}`}${more}`, progress);
      await moves.saved({ decision, entry, progress });
    } catch (error) {
      setFailed(`NOT SAVED: ${told(decision)}. ${error.message}`);
      if (error.status === 409) await moves.stale().catch(() => {});
    } finally {
      going.current = false;
      setBusy(false);
    }
  };
  const choose = (decision) => (decision === "other_speaker" ? going.current || setNaming(true) : decide(decision));
  const inTurn = (references, which) => {
    const heard = references.filter((one) => one.voice);
    if (!heard.length) return app.say("There is no voice to compare with.");
    turn.current[which] = (turn.current[which] + 1) % heard.length;
    return play(heard[turn.current[which]].voice);
  };
  const showOpinion = async () => {
    if (opinion) return setOpinion(null);
    try {
      setOpinion(await ask(below("/api/opinion", item.utterance)));
    } catch (error) {
      app.say(`No opinion: ${error.message}`);
    }
    return null;
  };
  const suggested = () => {
    if (!opinion) return app.say(`Whom the machine suggests is hidden until you press ${keyOf("opinion")}.`);
    if (!opinion.suggested) return app.say("The machine suggests nobody.");
    return inTurn(opinion.suggested.references, "suggested");
  };
  const toggleSpread = () => (item.siblings > 1 ? setSpread(!spread) : app.say("The video has no other clip of this label."));
  app.useActions(run, {
    right: () => decide("right"),
    wrong_voice: () => decide("wrong_voice"),
    wrong_face: () => decide("wrong_face"),
    wrong_clip: () => decide("wrong_clip"),
    other_speaker: () => choose("other_speaker"),
    unsure: () => decide("unsure"),
    play: () => (item.voice ? toggle(item.voice) : app.say("There is no sound of this clip.")),
    reference: () => inTurn(item.references.label, "label"),
    suggested,
    opinion: showOpinion,
    spread: toggleSpread,
    faster: () => app.say(`Speed ${faster()}`),
    undo: () => app.undo(moves.undone, moves.queue),
    next: () => going.current || moves.next(),
    back: () => going.current || moves.back(),
  });

  const nothing = !item.faces.length && !item.voice;
  return html`<article class="judge">
    <h2><span class="quiet">Label</span> <a class="id" href=${to("sheet", "", { speaker: item.speaker })}>${item.speaker}</a>
      <span class="id quiet utterance"><a href=${to("sheet", "", { speaker: item.speaker, video: item.video })} title="All clips of this video">${item.utterance}</a></span>
      ${item.decision && html`<span class="stands">decided: ${told(item.decision)}</span>`}
    </h2>
    ${failed && html`<p class="bad loud" role="alert">${failed}</p>`}
    ${busy && app.lost && html`<p class="bad loud" role="alert">NOT SAVED YET. ${app.lost}</p>`}
    <div class="compare">
      <div>
        ${nothing && !run.has_faces && !run.has_voices ? html`<p class="quiet">This run has embeddings alone: there is nothing to see or hear.</p>` : html`<${Clip} item=${item} keyOf=${keyOf} />`}
        <${Decisions} item=${item} keyOf=${keyOf} busy=${busy} spread=${spread} onSpread=${setSpread} onDecide=${choose} />
        <div class="line tools">
          <button type="button" onClick=${() => moves.back()}>← Back <kbd>${keyOf("back")}</kbd></button>
          <button type="button" onClick=${() => moves.next()}>Next → <kbd>${keyOf("next")}</kbd></button>
          <button type="button" onClick=${() => app.undo(moves.undone, moves.queue)}>Undo <kbd>${keyOf("undo")}</kbd></button>
          <button type="button" aria-expanded=${Boolean(opinion)} onClick=${showOpinion}>
            ${opinion ? "Hide" : "Show"} <span class="long">the machine's</span> opinion <kbd>${keyOf("opinion")}</kbd></button>
        </div>
      </div>
      <div class="people">
        ${opinion && html`<${Opinion} opinion=${opinion} />`}
        <${References} title=${`Trusted clips of ${item.speaker}`} references=${item.references.label}
          hint=${html`<kbd>${keyOf("reference")}</kbd>`} none="No other video of this label is trusted: judge voice against face." />
        ${
          opinion?.suggested &&
          html`<${References} title="It suggests ${opinion.suggested.speaker}" references=${opinion.suggested.references}
            hint=${html`<span class="quiet">${percent(opinion.suggested.probability)}</span> <kbd>${keyOf("suggested")}</kbd>`}
            none="There are no trusted clips of that label." />`
        }
      </div>
    </div>
    ${naming && html`<${NameDialog} own=${item.speaker} onClose=${() => setNaming(false)} onName=${(name) => decide("other_speaker", name)} />`}
  </article>`;
}

/** The view of a single utterance, named in the address. */
export function Single({ run, utterance, app }) {
  const [item, setItem] = useState(null);
  const [error, setError] = useState("");
  const show = (name) =>
    ask(below("/api/item", name)).then(setItem, (failed) => setError(failed.message));
  useEffect(() => {
    setItem(null);
    setError("");
    show(utterance);
  }, [utterance]);
  useOtherTabs(({ changed }) => {
    if (changed.some((one) => one.utterance === utterance)) show(utterance);
  });
  if (error) return html`<main><p class="bad" role="alert">${error}</p><a href=${to("table")}>The table of all</a></main>`;
  if (!item) return html`<main><p class="quiet">Loading …</p></main>`;
  const moves = {
    queue: "",
    saved: ({ decision }) => setItem({ ...item, decision }),
    stale: () => show(utterance),
    next: () => app.say("This is a single clip; the way back is the browser's."),
    back: () => history.back(),
    undone: ({ undone: { utterance: name } }) => (name === utterance ? show(name) : go(to("item", name))),
  };
  return html`<main><${Judge} key=${item.utterance} item=${item} run=${run} app=${app} moves=${moves} /></main>`;
}
