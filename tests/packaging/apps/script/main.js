// What a page does with the classic script.

'use strict';

const { join: options, playlist, playerWorker } = JSON.parse(new URL(location.href).searchParams.get('join'));

const { Hls, swarmseal } = window;

window.playing = swarmseal.join(options).then(async (peer) => {
  const hls = new Hls({ ...swarmseal.hlsConfig(peer), enableWorker: playerWorker });
  peer.attach(hls);
  hls.loadSource(playlist);
  hls.attachMedia(document.querySelector('video'));
  await document.querySelector('video').play();
  return peer;
});
