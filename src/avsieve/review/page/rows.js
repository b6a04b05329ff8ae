// Rows of the table by their place in it, loaded a piece at a time around what is on show.

import { ask } from "./api.js";

const PIECE = 100;
const KEPT = 40; // pieces

/** The rows of one search. */
export class Rows {
  constructor(query, changed) {
    this.query = query;
    this.changed = changed;
    this.total = null;
    this.error = "";
    this.pieces = new Map();
    this.closed = false;
  }

  /** Return a row, or null while it is loaded. */
  row(k) {
    const piece = this.pieces.get(Math.floor(k / PIECE));
    return Array.isArray(piece) ? piece[k % PIECE] || null : null;
  }

  /** Load what is needed for rows first to last. */
  want(first, last) {
    for (let k = Math.floor(Math.max(first, 0) / PIECE); k <= Math.floor(Math.max(last, 0) / PIECE); k += 1) {
      if (!this.pieces.has(k)) this.#load(k);
    }
  }

  async #load(k) {
    this.pieces.set(k, "loading");
    try {
      const found = await ask("/api/table", { ...this.query, offset: k * PIECE, limit: PIECE });
      this.pieces.set(k, found.rows);
      this.total = found.total;
      this.error = "";
      for (const old of this.pieces.keys()) {
        if (this.pieces.size <= KEPT) break;
        if (Math.abs(old - k) > 4) this.pieces.delete(old);
      }
    } catch (error) {
      this.error = error.message;
      this.total ??= 0;
    }
    if (!this.closed) this.changed();
  }
}
