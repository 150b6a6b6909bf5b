// Makes the streams that the browser tests play; those that are there are kept.

import { makeStreams } from './lib/media.mjs';

await makeStreams();
