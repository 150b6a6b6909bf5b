// How the scripts speak: one line a step, colour only on a terminal.

const COLOUR = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;

export const bold = paint('1');
export const dim = paint('2');
export const red = paint('31');
export const green = paint('32');
export const yellow = paint('33');
export const cyan = paint('36');

export function step(text) {
  console.log(`${cyan('›')} ${text}`);
}

export function seconds(ms) {
  return ms < 60_000
    ? `${(ms / 1000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

export function bytes(count) {
  const units = ['B', 'KB', 'MB', 'GB'];
  let [value, unit] = [count, 0];
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`;
}

function paint(code) {
  return (text) => (COLOUR ? `\u001b[${code}m${text}\u001b[0m` : text);
}
