// All utterances, a million or more: only rows on show are in the page, and only pieces around them are loaded.

import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./html.js";
import { Parts } from "./clip.js";
import { FILTERS, Filters } from "./filters.js";
import { Rows } from "./rows.js";
import { go, replace, to } from "./route.js";
import { useOtherTabs } from "./tabs.js";
import { KINDS, MACHINE, count, decimal, told } from "./words.js";

const ROW = 34; // heights in pixels, as in the style sheet
const HEAD = 60;
const TALLEST = 8e6; // browsers draw no taller element right; beyond it a pixel of scrolling is more than a pixel of rows
const AROUND = 6;
const HIDDEN = ["video", "flag"]; // the id has the video, and "machine says" the flag

/** The view; `query` has sort, order, filters, and `at`, the first row on show. */
export function Table({ run, query, app }) {
  const key = JSON.stringify(["sort", "order", ...FILTERS].map((name) => query[name] || ""));
  const [, draw] = useState(0);
  const [version, setVersion] = useState(0);
  const rows = useMemo(() => {
    const given = Object.fromEntries(["sort", "order", ...FILTERS].map((name) => [name, query[name] || ""]));
    return new Rows(given, () => draw((n) => n + 1));
  }, [key, version]);
  useEffect(() => () => {
    rows.closed = true;
  }, [rows]);
  useOtherTabs(() => setVersion((n) => n + 1));
  app.useActions(run, { undo: () => app.undo(() => setVersion((n) => n + 1)) });

  const set = (changes) => {
    const now = { ...query, ...changes };
    delete now.at;
    go(to("table", "", now));
  };
  const columns = run.columns.filter(({ name }) => !HIDDEN.includes(name));
  const sort = query.sort || "p";
  const order = query.order || "desc";
  const sortBy = (name, type) => set({ sort: name, order: sort === name ? (order === "asc" ? "desc" : "asc") : type === "text" ? "asc" : "desc" });
  return html`<main class="table">
    <${Filters} query=${query} second=${run.has_second_opinion} onValue=${(name, value) => set({ [name]: value })}
      onClear=${() => go(to("table", "", { sort: query.sort, order: query.order }))} />
    <p class="line" role="status">${rows.error ? "" : rows.total === null ? "Loading …" : count(rows.total, "utterance")}</p>
    ${rows.error && html`<p class="bad" role="alert">${rows.error}</p>`}
    <${Window} key=${key} rows=${rows} columns=${columns} query=${query} sort=${sort} order=${order} onSort=${sortBy} />
  </main>`;
}

function Window({ rows, columns, query, sort, order, onSort }) {
  const box = useRef(null);
  const start = useRef(Number.parseInt(query.at, 10) || 0);
  const [at, setAt] = useState(start.current); // the first row on show, with its fraction
  const [height, setHeight] = useState(600);
  const total = rows.total || 0;
  const fit = Math.max(1, Math.floor((height - HEAD) / ROW));
  const tall = Math.min(total * ROW, TALLEST);
  const last = Math.max(0, total - fit);
  const scrolls = Math.max(1, tall + HEAD - height); // pixels that can be scrolled
  const squeezed = total * ROW > TALLEST;
  const rowAt = (pixels) => (squeezed ? (pixels / scrolls) * last : pixels / ROW);
  const pixelsAt = (row) => (squeezed ? (row / Math.max(last, 1)) * scrolls : row * ROW);
  useLayoutEffect(() => {
    const seen = new ResizeObserver(() => setHeight(box.current.clientHeight));
    seen.observe(box.current);
    return () => seen.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (total && start.current) box.current.scrollTop = pixelsAt(start.current);
    if (total) start.current = 0;
  }, [total > 0]);
  useEffect(() => {
    const timer = setTimeout(() => {
      const row = Math.round(at);
      if (total) replace(to("table", "", { ...query, at: row || "" }));
    }, 300);
    return () => clearTimeout(timer);
  }, [Math.round(at), total > 0]);
  const first = Math.max(0, Math.floor(at) - AROUND);
  const end = Math.min(total, Math.ceil(at) + fit + AROUND);
  useEffect(() => rows.want(first, Math.max(end - 1, first)), [rows, first, end]);

  const move = (by) => {
    box.current.scrollTop = pixelsAt(Math.min(Math.max(at + by, 0), last));
  };
  const moved = useRef(move);
  moved.current = move;
  useEffect(() => {
    // A turn of the wheel is to move as many rows in a million as in a hundred.
    const wheel = (event) => {
      if (!squeezed || event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
      event.preventDefault();
      moved.current((event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY) / ROW);
    };
    box.current.addEventListener("wheel", wheel, { passive: false });
    return () => box.current?.removeEventListener("wheel", wheel);
  }, [squeezed]);
  const keyed = (event) => {
    const by = { PageDown: fit - 1, PageUp: 1 - fit, ArrowDown: 1, ArrowUp: -1, Home: -total, End: total }[event.key];
    if (by === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    move(by);
  };
  const places = Array.from({ length: Math.max(0, end - first) }, (_, k) => first + k);
  const top = squeezed ? (row) => HEAD + pixelsAt(at) + (row - at) * ROW : (row) => HEAD + row * ROW;
  return html`<div class="window" ref=${box} tabindex="0" role="region" aria-label="The table, to scroll"
    onScroll=${() => setAt(Math.min(rowAt(box.current.scrollTop), last))} onKeyDown=${keyed}>
    <div class="grid" role="table" aria-label="Utterances" aria-rowcount=${total + 1} style=${{ height: `${tall + HEAD}px` }}>
      <div role="rowgroup" class="heads"><div role="row" class="row head" aria-rowindex="1">
        ${columns.map(({ name, label, type }) => {
          const on = sort === name;
          return html`<span key=${name} role="columnheader" class="cell c-${name} ${type}" aria-sort=${on ? (order === "asc" ? "ascending" : "descending") : "none"}>
            <button type="button" onClick=${() => onSort(name, type)}>${label}<span aria-hidden="true">${on ? (order === "asc" ? " ▲" : " ▼") : ""}</span></button></span>`;
        })}
      </div></div>
      <div role="rowgroup">
        ${places.map((k) => html`<${Row} key=${k} k=${k} row=${rows.row(k)} columns=${columns} top=${top(k)} />`)}
      </div>
    </div>
  </div>`;
}

function Row({ k, row, columns, top }) {
  return html`<div role="row" class="row ${row?.flag ? "flag" : ""}" aria-rowindex=${k + 2} style=${{ top: `${top}px` }}>
    ${columns.map(({ name, type }) => html`<span key=${name} role="cell" class="cell c-${name} ${type}">${row ? value(row, name, type) : "…"}</span>`)}
  </div>`;
}

function value(row, name, type) {
  const found = row[name];
  if (name === "utterance") {
    const [label, ...clip] = found.split("/");
    return html`<a href=${to("item", found)} title=${found} aria-label=${found}><${Parts} texts=${[label, clip.join("/")]} /></a>`;
  }
  if (name === "speaker") return html`<a href=${to("sheet", "", { speaker: found })}>${found}</a>`;
  if (name === "decision") return told(found);
  if (name === "kind") return KINDS[found] || found || "";
  if (name === "machine") return html`<span aria-hidden="true">${row.flag ? "⚑ " : ""}</span>${MACHINE[found] || found || ""}`;
  if (type === "probability" || type === "cosine") return decimal(found);
  if (type === "count") return found || "";
  return found ?? "";
}
