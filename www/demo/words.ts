/** Numbers and codes in plain words. */

const BYTES = ['kB', 'MB', 'GB', 'TB'] as const;
const BITS = ['kbit/s', 'Mbit/s', 'Gbit/s'] as const;

/** For example `83 kB`, `12.4 MB`. */
export function bytes(count: number): string {
  return scaled(count, BYTES);
}

/** Bytes a second as a bit rate, for example `640 kbit/s`, `1.2 Mbit/s`. */
export function rate(bytesPerSecond: number): string {
  return scaled(bytesPerSecond * 8, BITS);
}

/** For example `78 %`; never rounds up to 100 nor down to 0. */
export function percent(part: number, whole: number): string {
  if (whole <= 0) return '–';
  const exact = (100 * part) / whole;
  const shown = exact > 99 && exact < 100 ? 99 : exact > 0 && exact < 1 ? 1 : Math.round(exact);
  return `${shown}\u00a0%`;
}

/** For example `1:24`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

/** For example `1 viewer`, `3 viewers`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** The first characters of a pseudonym are enough to tell viewers apart on one screen. */
export function shortHandle(handle: string): string {
  return handle.slice(0, 4);
}

/** Why a segment came over HTTP. */
export function httpReason(code: string): string {
  return HTTP_REASONS[code] ?? plain(code);
}

/** Why a viewer is gone or could not be reached. */
export function lossReason(code: string): string {
  return LOSS_REASONS[code] ?? plain(code);
}

/** A code that has no sentence of its own. */
export function plain(code: string): string {
  return code.replaceAll('_', ' ');
}

const HTTP_REASONS: Readonly<Record<string, string>> = {
  peers_off: 'no other viewers to ask',
  startup: 'needed at once to start',
  elected: 'our turn to fetch it for everyone',
  nobody_has: 'nobody had it yet',
  deadline: 'viewers would have been late',
  peer_failed: 'a viewer failed midway',
  asset: 'fetched from the origin by rule',
};

const LOSS_REASONS: Readonly<Record<string, string>> = {
  bye: 'it left',
  closed_by_peer: 'it left',
  peer_gone: 'it left',
  sharing_off: 'sharing is off',
  surplus: 'others were of more use',
  ticket_expired: 'its ticket ran out',
  timeout: 'it could not be reached',
  timed_out: 'it could not be reached',
  ice_failed: 'no way through the networks between us',
  connection_lost: 'the connection broke',
};

function scaled(value: number, units: readonly string[]): string {
  let shown = value / 1000;
  let unit = 0;
  while (shown >= 999.5 && unit < units.length - 1) {
    shown /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || shown >= 99.95 ? 0 : 1;
  return `${shown.toFixed(digits)}\u00a0${units[unit] ?? ''}`;
}
