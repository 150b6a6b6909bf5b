// Where things are. Every path of the scripts is named here.

import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const TOOLS = path.join(ROOT, '.tools');
export const TOOLS_BIN = path.join(TOOLS, 'bin');
export const WORK = path.join(ROOT, '.work');
export const PKG = path.join(ROOT, 'pkg');
export const DEMO = path.join(WORK, 'demo');
export const SAMPLE_MEDIA = path.join(ROOT, 'sample', 'media');

/** Cargo's target folder, which its user may have moved. */
export const TARGET = path.resolve(ROOT, process.env.CARGO_TARGET_DIR ?? 'target');
export const SWARMSEAL = path.join(TARGET, 'debug', 'swarmseal');
