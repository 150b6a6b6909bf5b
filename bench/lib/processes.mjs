// What a browser costs: the CPU time of all its processes, and the memory of those that show pages.

import { readFile } from 'node:fs/promises';

/** CPU seconds that all processes of a browser have used so far; `session` is its browser-wide CDP session. */
export async function browserCpuSeconds(session) {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
}

/** Bytes that belong to the browser's page processes alone, all of them together. */
export async function rendererBytes(session) {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const each = await Promise.all(
    processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => privateBytes(id)),
  );
  return each.reduce((sum, bytes) => sum + bytes, 0);
}

/** Memory that no other process shares. */
export async function privateBytes(pid) {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  const kilobytes = [...text.matchAll(/^Private_\w+:\s+(\d+) kB/gm)].map(([, count]) => Number(count));
  return kilobytes.reduce((sum, count) => sum + count, 0) * 1024;
}

/** Bytes of memory that a process holds. */
export async function residentBytes(pid) {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
}

/** CPU seconds that one process has used so far. */
export async function processCpuSeconds(pid) {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

// Linux says 100 to every program, whatever it counts in itself.
const TICKS_PER_SECOND = 100;
