// The package's worker with something broken in it first: `worker.mjs?alter=N` flips one byte in every data message
// after the Nth, `worker.mjs?skew=MS` puts the clock wrong, `?listen` reports what is sent to peers.

import './worker-faults.mjs';
import '/pkg/worker.js';
