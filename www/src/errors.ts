/** Every failure that this package reports: `code` is stable, `message` says what to do about it. */
export class SwarmsealError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    // What callers of fetch() look for.
    this.name = code === 'aborted' ? 'AbortError' : 'SwarmsealError';
  }
}

/** A mistake in what the page passed to us. */
export function invalidOption(field: string, expected: string): SwarmsealError {
  return new SwarmsealError('invalid_option', `${field}: ${expected}`);
}

export function aborted(signal?: AbortSignal): SwarmsealError {
  return new SwarmsealError('aborted', 'The load was aborted.', { cause: signal?.reason });
}
