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
    what: 'browsers that are older than workers of modules',
    pattern: /\(typeof FinalizationRegistry === 'undefined'\)\n.*?\n {4}: /s,
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
