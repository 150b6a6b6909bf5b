// Every scenario, by name.

import { readdir } from 'node:fs/promises';

/** In the order of their files' names. */
export async function allScenarios() {
  const folder = new URL('../scenarios/', import.meta.url);
  const files = (await readdir(folder)).filter((name) => name.endsWith('.mjs')).sort();
  const modules = await Promise.all(files.map((name) => import(new URL(name, folder).href)));
  return modules.flatMap(({ scenarios = [] }) => scenarios);
}
