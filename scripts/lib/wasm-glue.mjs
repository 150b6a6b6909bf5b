// What wasm-bindgen's glue has for callers other than ours.

/** Each is in the glue once, or wasm-bindgen has changed and somebody should look. */
const UNUSED = [
  {
    what: 'a warning for whoever calls initSync in the way of old',
    pattern: / {4}if \(module !== undefined\) \{\n.*?\n {4}\}\n/s,
    instead: '    ({ module } = module);\n',
  },
  {
    what: 'a module that is not compiled yet',
    pattern: / {4}if \(!\(module instanceof WebAssembly\.Module\)\) \{\n.*?\n {4}\}\n/s,
    instead: '',
  },
  {
    what: 'whoever writes "using"',
    pattern: /^if \(Symbol\.dispose\) .*\n/m,
    instead: '',
  },
  {
    what: 'whoever lets go of a peer without freeing it: the list',
    pattern: /^const PeerFinalization = .*?;\n/ms,
    instead: '',
  },
  {
    what: 'whoever lets go of a peer without freeing it: onto the list',
    pattern: / +PeerFinalization\.register\(.*\n/,
    instead: '',
  },
  {
    what: 'whoever lets go of a peer without freeing it: off the list',
    pattern: / +PeerFinalization\.unregister\(.*\n/,
    instead: '',
  },
  {
    what: 'Safari, whose decoders fail after two gigabytes of texts: the core hands over errors and statistics',
    pattern: / {4}numBytesDecoded \+= bytes\.length;\n {4}if \(.*?\n {4}\}\n/s,
    instead: '',
  },
  {
    what: 'texts that are passed to a module that cannot grow what it has allocated',
    pattern: / {4}if \(realloc === undefined\) \{\n.*?\n {4}\}\n/s,
    instead: '',
  },
];

export function leanGlue(glue) {
  return UNUSED.reduce((text, { what, pattern, instead }) => {
    if (text.split(pattern).length !== 2) throw new Error(`the glue has changed: ${what}`);
    return text.replace(pattern, instead);
  }, glue);
}
