// TLS in front of a server that speaks plain HTTP and WebSocket, with a certificate made for one test.

import { X509Certificate, createHash } from 'node:crypto';
import { connect } from 'node:net';
import { createServer } from 'node:tls';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { emptyFolder } from '../../../scripts/lib/site.mjs';
import { output } from '../../../scripts/lib/run.mjs';

/** A certificate for 127.0.0.1 that nobody vouches for: {key, cert, spki}, the last for browsers that are to take it. */
export async function makeCertificate(folder) {
  await emptyFolder(folder);
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => path.join(folder, name));
  await output('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
  ]);
  const pem = await readFile(cert);
  const spki = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return { key: await readFile(key), cert: pem, spki: createHash('sha256').update(spki).digest('base64') };
}

/** Ends TLS, and passes what is in it on to `target` (host:port). */
export class TlsEnd {
  #server;
  #sockets = new Set();

  static async open(target, { key, cert }) {
    const { hostname, port } = new URL(`tcp://${target}`);
    const end = new TlsEnd();
    end.#server = createServer({ key, cert }, (outer) => {
      const inner = connect(Number(port), hostname);
      for (const [socket, other] of [
        [outer, inner],
        [inner, outer],
      ]) {
        end.#sockets.add(socket);
        // Browsers drop connections as they like; the other half goes with it, and that is all there is to do.
        socket.on('error', () => other.destroy());
        socket.on('close', () => {
          end.#sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
    end.#server.listen(0, '127.0.0.1');
    await once(end.#server, 'listening');
    return end;
  }

  get port() {
    return this.#server.address().port;
  }

  async stop() {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
