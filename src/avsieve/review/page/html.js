// What every view is made with: elements whose texts are text nodes, never markup.
import { h, render, createRef, Fragment } from "./vendor/preact.module.js";
import { useCallback, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from "./vendor/hooks.module.js";
import htm from "./vendor/htm.module.js";

export const html = htm.bind(h);
export { render, createRef, Fragment, useCallback, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState };

/** Return a number that rises with each call of the second value: a way to draw again. */
export function useRedraw() {
  return useReducer((n) => n + 1, 0);
}
