/** Tells the journal what the peer reports. */

import type { Peer } from '../src/index.js';
import type { Journal } from './journal.js';
import type { Tracks } from './tracks.js';
import { httpReason, lossReason, plain, shortHandle } from './words.js';

export function narrate(peer: Peer, journal: Journal, tracks: Tracks): void {
  const place = (track: number | null, index: number | null, chunk: number | null): string => {
    if (track === null || index === null) return '';
    const where = track === 0 ? `listed file ${index + 1}` : `${tracks.label(track)}, segment ${index + 1}`;
    return ` (${where}${chunk === null ? '' : `, chunk ${chunk + 1}`})`;
  };
  peer.on('tracker-joined', () => {
    journal.write('note', 'The tracker let us in under a pseudonym.');
  });
  peer.on('tracker-lost', ({ code }) => {
    journal.write('note', `The tracker is out of reach (${plain(code)}). Connections stay; we try again.`);
  });
  peer.on('peer-connected', ({ handle }) => {
    journal.write('peer', `Viewer ${shortHandle(handle)} is connected and has proved its ticket.`);
  });
  peer.on('peer-lost', ({ handle, code }) => {
    journal.write('note', `Viewer ${shortHandle(handle)} is gone: ${lossReason(code)}.`);
  });
  peer.on('peer-blamed', ({ handle, code, track, index, chunk }) => {
    const fault = `broke a rule: ${plain(code)}${place(track, index, chunk)}`;
    journal.write(
      'alarm',
      `Viewer ${shortHandle(handle)} ${fault}. It was disconnected, nothing of it was used.`,
    );
  });
  peer.on('source-blamed', ({ track, index, chunk }) => {
    const what = `bytes that are not what was signed${place(track, index, chunk)}`;
    journal.write('alarm', `The origin sent ${what}. Nothing of it was used.`);
  });
  peer.on('object-done', ({ track, index, fromPeers, fromHttp, httpReason: reason }) => {
    if (track === 0) return;
    const label = tracks.label(track);
    if (fromHttp === 0) {
      journal.segment('peer', label, index, 'from other viewers');
      return;
    }
    const why = reason === null ? '' : `: ${httpReason(reason)}`;
    journal.segment('origin', label, index, `${fromPeers > 0 ? 'partly ' : ''}from the origin${why}`);
  });
  peer.on('live-frozen', () => {
    journal.write('alarm', 'The stream stands still: no signed news of it for three segments.');
  });
  peer.on('live-resumed', () => {
    journal.write('note', 'The stream goes on.');
  });
  peer.on('live-restarted', () => {
    journal.write('note', 'The publisher has begun the stream anew.');
  });
  peer.on('live-ended', () => {
    journal.write('note', 'The publisher has signed the end of the stream. Everything stays playable.');
  });
  peer.on('head-refused', ({ code }) => {
    journal.write('alarm', `News of the stream was refused: ${plain(code)}.`);
  });
  peer.on('publisher-contradicted', ({ kind }) => {
    journal.write(
      'alarm',
      `The publisher's key has signed two different things (${kind}). The first one holds.`,
    );
  });
  peer.on('clock-off', ({ deviceS, trackerS }) => {
    const minutes = Math.max(1, Math.round(Math.abs(deviceS - trackerS) / 60));
    const how = deviceS > trackerS ? 'ahead' : 'behind';
    journal.write('note', `This device's clock is ${minutes} min ${how}. The tracker's is used instead.`);
  });
  peer.on('worker-replaced', ({ withPeers }) => {
    const rest = withPeers ? 'it was replaced' : 'we go on without other viewers, still checking every byte';
    journal.write('alarm', `The worker failed; ${rest}.`);
  });
  peer.on('warning', ({ message }) => {
    journal.write('note', message);
  });
}
