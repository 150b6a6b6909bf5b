/** What the page plays (demo.json beside it) and how (its own query string). */

export interface DemoConfig {
  readonly title: string;
  readonly manifest: string;
  readonly content: string | null;
  readonly live: boolean;
  readonly tracker: string | null;
  readonly trust: readonly string[];
  readonly trackerKeys: readonly string[];
  readonly playlist: string;
}

export interface DemoOptions {
  readonly share: 'ask' | 'on' | 'off';
  /** Bits a second. */
  readonly uplinkCap: number | null;
  /** Index of the rendition to stay with; -1 lets the player choose. */
  readonly rendition: number;
  /** How far ahead the player buffers, seconds. */
  readonly bufferS: number;
}

/** Relative URLs in the file count from the file. */
export async function loadConfig(): Promise<DemoConfig> {
  const response = await fetch('demo.json');
  if (!response.ok) throw new Error(`demo.json: ${response.status} ${response.statusText}`);
  const file: unknown = await response.json();
  if (typeof file !== 'object' || file === null) throw new Error('demo.json is not an object');
  const fields = new Map<string, unknown>(Object.entries(file));
  const text = (name: string): string => {
    const value = fields.get(name);
    if (typeof value !== 'string') throw new Error(`demo.json: "${name}" is not a string`);
    return value;
  };
  const texts = (name: string): string[] => {
    const value = fields.get(name) ?? [];
    if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) {
      throw new Error(`demo.json: "${name}" is not a list of strings`);
    }
    return value;
  };
  const url = (name: string): string => new URL(text(name), response.url).href;
  return {
    title: text('title'),
    manifest: url('manifest'),
    content: fields.has('content') ? text('content') : null,
    live: fields.get('live') === true,
    tracker: fields.has('tracker') ? url('tracker') : null,
    trust: texts('trust'),
    trackerKeys: texts('trackerKeys'),
    playlist: url('playlist'),
  };
}

/** `?share=on|ask|off`, `cap=KBPS`, `level=N`, `buffer=SECONDS`. */
export function readOptions(query: URLSearchParams): DemoOptions {
  const share = query.get('share');
  const cap = positive(query.get('cap'));
  return {
    share: share === 'ask' || share === 'off' ? share : 'on',
    uplinkCap: cap === null ? null : cap * 1000,
    rendition: /^\d+$/.test(query.get('level') ?? '') ? Number(query.get('level')) : -1,
    bufferS: positive(query.get('buffer')) ?? DEFAULT_BUFFER_S,
  };
}

function positive(text: string | null): number | null {
  const value = Number(text ?? Number.NaN);
  return Number.isFinite(value) && value > 0 ? value : null;
}

// Short enough that a viewer keeps fetching while it plays, which is what this page is there to show.
const DEFAULT_BUFFER_S = 16;
