// What an app does with the package; its bundler finds worker and core on its own.

import Hls from 'hls.js';
import { join } from 'swarmseal';
import { hlsConfig } from 'swarmseal/hls';

const options = JSON.parse(new URL(location.href).searchParams.get('join'));

async function play() {
  const peer = await join(options.join);
  const hls = new Hls({ ...hlsConfig(peer), enableWorker: options.playerWorker });
  peer.attach(hls);
  hls.loadSource(options.playlist);
  hls.attachMedia(document.querySelector('video'));
  await document.querySelector('video').play();
  return peer;
}

window.playing = play();
