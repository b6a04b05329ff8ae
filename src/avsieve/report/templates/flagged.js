// Searches, sorts and links the table of what was flagged. The page works without: the first rows stand in it as HTML.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("flagged-data").textContent);
  const body = document.getElementById("flagged-rows");
  const search = document.getElementById("flagged-search");
  const kind = document.getElementById("flagged-kind");
  const told = document.getElementById("flagged-told");
  const more = document.getElementById("flagged-more");
  const heads = [...document.querySelectorAll("#flagged-table th button")];
  const STEP = 100;
  let sortBy = "p_wrong";
  let down = true;
  let shown = STEP;
  const all = data.utterance.map((_, row) => row);

  const shares = (value) => (value === null ? "–" : value.toFixed(3));
  const cell = (text, name) => {
    const made = document.createElement("td");
    made.textContent = text;
    if (name) made.className = name;
    return made;
  };
  const link = (utterance) => {
    const made = document.createElement("td");
    const anchor = document.createElement("a");
    const card = document.getElementById(`u-${utterance}`);
    anchor.href = card ? `#u-${encodeURIComponent(utterance)}` : `#find=${encodeURIComponent(utterance)}`;
    const code = document.createElement("code");
    code.textContent = utterance;
    anchor.append(code);
    made.append(anchor);
    if (card) made.append(" ▸");
    return made;
  };

  function chosen() {
    const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const rows = all.filter((row) => {
      if (kind.value && data.kind[row] !== kind.value) return false;
      const text = `${data.utterance[row]} ${data.suggested[row]} ${data.kind[row]}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const values = data[sortBy];
    const compare = (a, b) => {
      const x = values[a];
      const y = values[b];
      if (x === y) return a - b;
      if (x === null || x === "") return 1;
      if (y === null || y === "") return -1;
      return (x < y ? -1 : 1) * (down ? -1 : 1);
    };
    return rows.sort(compare);
  }

  function draw() {
    const rows = chosen();
    body.replaceChildren(
      ...rows.slice(0, shown).map((row) => {
        const made = document.createElement("tr");
        made.append(link(data.utterance[row]), cell(data.kind[row]), cell(shares(data.p_wrong[row]), "n"));
        for (const name of ["p_audio_wrong", "p_visual_wrong", "audio_similarity", "visual_similarity"]) {
          made.append(cell(shares(data[name][row]), "n"));
        }
        made.append(cell(data.suggested[row] || "–"), cell(shares(data.p_suggested[row]), "n"));
        return made;
      }),
    );
    const seen = Math.min(shown, rows.length);
    told.textContent = `${seen.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows shown`;
    more.hidden = seen === rows.length;
    for (const head of heads) {
      const own = head.dataset.column === sortBy;
      head.parentElement.setAttribute("aria-sort", own ? (down ? "descending" : "ascending") : "none");
    }
  }

  function note() {
    const text = search.value.trim();
    history.replaceState(null, "", text ? `#find=${encodeURIComponent(text)}` : "#flagged");
  }

  function fromHash() {
    const found = /^#find=(.*)$/.exec(location.hash);
    if (!found) return;
    try {
      search.value = decodeURIComponent(found[1]);
    } catch {
      return; // an address that was cut off
    }
    shown = STEP;
    draw();
    document.getElementById("flagged").scrollIntoView();
  }

  search.addEventListener("input", () => { shown = STEP; draw(); note(); });
  kind.addEventListener("change", () => { shown = STEP; draw(); });
  more.addEventListener("click", () => { shown += STEP; draw(); });
  for (const head of heads) {
    head.addEventListener("click", () => {
      const column = head.dataset.column;
      down = column === sortBy ? !down : typeof data[column].find((value) => value !== null) === "number";
      sortBy = column;
      draw();
    });
  }
  addEventListener("hashchange", fromHash);
  document.getElementById("flagged-tools").hidden = false;
  draw();
  fromHash();
})();
