// The clips of a queue in their order, as far as they were loaded, and which one is shown.

import { ask, below } from "./api.js";
import { prefetch } from "./clip.js";

const AHEAD = 8;
export const LEFT_TO_LOAD = 4;
const KEPT_BEHIND = 200;

/** The items of a queue. `entries` of an item are the lines of the log in which this page has noted it. */
export class Line {
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
    const path = `/api/queue/${encodeURIComponent(this.name)}`;
    let found;
    let items;
    try {
      found = await ask(path, { after, limit: AHEAD });
      items = found.items;
    } catch (error) {
      // The queue has another order now, as after another cleansing: from its beginning, without what is on show.
      if (!after || error.status !== 400) throw error;
      found = await ask(path, { limit: AHEAD });
      items = found.items.filter(({ utterance }) => utterance !== this.item?.utterance);
    }
    if (this.next !== after) return; // begun anew meanwhile
    this.items.push(...items);
    this.next = found.next;
    this.facts = { done: found.done, total: found.total };
    prefetch(this.items.slice(this.at + 1, this.at + 1 + LEFT_TO_LOAD));
  }

  /** Load again what comes after the clip on show: the server was started again, or another tab has decided. */
  async renew() {
    await this.loading;
    this.items.length = Math.min(this.at + 1, this.items.length);
    this.next = this.#placeBefore(this.items.length);
    await this.more();
  }

  #placeBefore(end) {
    return this.items.slice(0, end).findLast((item) => item.place)?.place || this.before;
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

  /** Note what was decided about an item: it stands wherever the page shows that the utterance is decided. */
  saved(item, { decision, entry, progress }) {
    item.decision = decision;
    item.entries = [...(item.entries || []), entry];
    for (const other of this.items) if (other.utterance === item.utterance && other.decision) other.decision = decision;
    this.count(progress);
  }

  count(progress) {
    if (progress.queue === this.name && this.name !== "mine") this.facts.done = this.facts.total - progress.left_in_queue;
  }

  /** Show what was taken back: where it was decided, or here. */
  async show({ undone, now, place, progress }) {
    const { utterance, entry } = undone;
    const found = [
      this.items.findIndex((item) => item.entries?.includes(entry)),
      // Decided before the page was loaded. A clip that comes a second time and is not answered is not meant.
      this.items.findLastIndex((item, k) => k <= this.at && item.utterance === utterance && item.decision),
      this.items.findIndex((item) => item.utterance === utterance && item.decision),
    ].find((k) => k >= 0);
    if (found === undefined) {
      const item = await ask(below("/api/item", utterance));
      this.items.splice(this.at, 0, { ...item, answers: place, decision: now });
    } else {
      this.at = found;
      this.item.decision = now;
    }
    this.count(progress);
    this.keep();
  }

  /** Take in what another tab has noted; return the decision if that settles the clip on show. */
  async heard({ changed, progress }) {
    await this.loading;
    const decisions = new Map(changed.map(({ utterance, decision }) => [utterance, decision]));
    const { item } = this;
    const settled = item && !item.decision ? decisions.get(item.utterance) : null;
    for (const one of this.items) {
      if (decisions.has(one.utterance)) one.decision = decisions.get(one.utterance);
    }
    this.count(progress);
    if (this.name !== "mine") await this.renew();
    return settled;
  }

  keep() {
    if (this.name !== "mine") localStorage.setItem(this.where, this.#placeBefore(this.at));
  }
}
