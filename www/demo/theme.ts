/** Light or dark: the system's choice until the viewer makes one. */

const KEY = 'swarmseal.theme';

export function mountTheme(button: HTMLButtonElement): void {
  const stored = recall();
  if (stored) document.documentElement.dataset['theme'] = stored;
  const show = (): void => {
    const offered = isDark() ? 'Light' : 'Dark';
    button.textContent = offered;
    button.setAttribute('aria-label', `${offered} colours`);
  };
  button.addEventListener('click', () => {
    const theme = isDark() ? 'light' : 'dark';
    document.documentElement.dataset['theme'] = theme;
    remember(theme);
    show();
    document.dispatchEvent(new Event('themechange'));
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', show);
  show();
}

function isDark(): boolean {
  const chosen = document.documentElement.dataset['theme'];
  return chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
}

// Storage may be forbidden; the choice then lasts as long as the page.
function recall(): 'light' | 'dark' | null {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : null;
  } catch {
    return null;
  }
}

function remember(theme: string): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    return;
  }
}
