// For page and worker alike: puts their clock wrong by `ms`.

'use strict';

globalThis.skewClock = function skewClock(ms) {
  const Original = Date;
  globalThis.Date = class extends Original {
    constructor(...args) {
      super(...(args.length === 0 ? [Original.now() + ms] : args));
    }

    static now() {
      return Original.now() + ms;
    }
  };
};
