// What is shown stands in the address, behind the #, so that it can be kept, sent and gone back to.

/** Read `#/view/rest?name=value` as {view, rest, query}. */
export function read(address = location.hash) {
  const [path, query = ""] = address.replace(/^#\/?/, "").split("?", 2);
  const [view, ...rest] = path.split("/").map(unescaped);
  return { view, rest: rest.join("/"), query: Object.fromEntries(new URLSearchParams(query)) };
}

function unescaped(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Return the address of a view; empty values are left out. */
export function to(view, rest = "", query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value != null);
  const tail = new URLSearchParams(given).toString();
  const path = [view, ...(rest ? rest.split("/") : [])].map(encodeURIComponent).join("/");
  return `#/${path}${tail ? `?${tail}` : ""}`;
}

export function go(address) {
  location.hash = address;
}

/** Set the address of the view on show, without a step that the browser would go back to. */
export function replace(address) {
  // A link that was clicked in this moment has set another one already, and the view is about to go.
  const { view } = read();
  if (location.hash !== address && (!view || view === read(address).view)) history.replaceState(null, "", address);
}
