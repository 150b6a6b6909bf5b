/** A canvas that fills its host sharply on any screen, and the page's colours for drawing on it. */

export interface Palette {
  readonly ground: string;
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  readonly faint: string;
  readonly peer: string;
  readonly origin: string;
  readonly store: string;
  readonly given: string;
}

export class Surface {
  readonly context: CanvasRenderingContext2D;
  width = 0;
  height = 0;
  palette: Palette = readPalette();
  readonly #canvas: HTMLCanvasElement;
  readonly #changed: () => void;

  /** `changed` is called when size or colours are not what they were, and a redraw is due. */
  constructor(host: HTMLElement, changed: () => void) {
    this.#canvas = document.createElement('canvas');
    this.#canvas.setAttribute('aria-hidden', 'true');
    const context = this.#canvas.getContext('2d');
    if (!context) throw new Error('this browser draws no 2D canvas');
    this.context = context;
    this.#changed = changed;
    host.prepend(this.#canvas);
    new ResizeObserver(() => {
      this.#fit();
    }).observe(host);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#repaint();
    });
    document.addEventListener('themechange', () => {
      this.#repaint();
    });
    void document.fonts.ready.then(() => {
      this.#changed();
    });
  }

  clear(): void {
    this.context.clearRect(0, 0, this.width, this.height);
  }

  font(size: number, weight = 400): void {
    this.context.font = `${weight} ${size}px 'Instrument Sans', system-ui, sans-serif`;
  }

  #fit(): void {
    const box = this.#canvas.getBoundingClientRect();
    const ratio = Math.min(devicePixelRatio, 3);
    this.width = box.width;
    this.height = box.height;
    this.#canvas.width = Math.round(box.width * ratio);
    this.#canvas.height = Math.round(box.height * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#changed();
  }

  #repaint(): void {
    this.palette = readPalette();
    this.#changed();
  }
}

/** Whether the viewer asked for less movement. */
export function stillness(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}

function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    ground: colour('ground'),
    ink: colour('ink'),
    soft: colour('soft'),
    line: colour('line'),
    faint: colour('faint'),
    peer: colour('peer'),
    origin: colour('origin'),
    store: colour('store'),
    given: colour('given'),
  };
}
