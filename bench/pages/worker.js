// swarmseal's worker with a fault in its sending: its channels live here, where the page's own script cannot break them.

'use strict';

importScripts('faults.js');
self.breakSending(new URL(self.location.href).searchParams.get('fault'));
importScripts('/pkg/worker.js');
