// Text that becomes HTML: what is put in is escaped, unless it came from here.

class Html {
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }
}

/** A template whose values are text, or what this has made, or lists of either. */
export function html(strings, ...values) {
  return new Html(strings.reduce((text, string, n) => text + put(values[n - 1]) + string));
}

/** Text that is HTML or CSS already. */
export function asIs(text) {
  return new Html(text);
}

function put(value) {
  if (Array.isArray(value)) {
    return value.map(put).join('');
  }
  if (value instanceof Html) {
    return value.text;
  }
  if (value === undefined || value === null || value === false) {
    return '';
  }
  return String(value).replace(/[&<>"]/g, (character) => ENTITIES[character]);
}

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
