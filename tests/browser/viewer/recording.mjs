// Stands between a loader and hls.js and writes down what hls.js was given, hashed by the browser and not by the core.

/** A loader class like `Loader` that adds {url, range, length, sha256: Promise} to `record.loads` before hls.js gets it. */
export function recording(Loader, record) {
  return class extends Loader {
    load(context, config, callbacks) {
      super.load(context, config, {
        ...callbacks,
        onSuccess: (response, stats, given, details) => {
          record.loads.push(account(context, response));
          callbacks.onSuccess(response, stats, given, details);
        },
      });
    }
  };
}

function account({ url, rangeStart, rangeEnd }, { data }) {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : new Uint8Array(data.slice(0));
  return {
    url,
    range: rangeEnd > 0 ? [rangeStart, rangeEnd - 1] : null,
    length: bytes.length,
    at: performance.now(),
    sha256: crypto.subtle.digest('SHA-256', bytes).then(hex),
  };
}

function hex(digest) {
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
