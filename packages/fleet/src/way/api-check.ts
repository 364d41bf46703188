/** Checks that the API server responds and accepts the token, before anybody waits for kubectl. */
import { request } from 'node:https';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { errorCode, errorText } from '@skolo/base';
import { FleetError } from '../errors.ts';
import type { Access } from './access.ts';

/** k3s's certificate contains this name, and the tunnel ends at k3s. */
export const serverName = '127.0.0.1';
const clockCodes = new Set(['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED']);

/** @throws FleetError */
export async function checkApi(
  name: string,
  { authority, token, skewMs }: Access,
  socket: Socket,
  signal: AbortSignal,
): Promise<void> {
  try {
    const { status, body } = await get(socket, authority, token.reveal(), signal);
    if (status === 200) return;
    throw status === 401
      ? new FleetError(
          `${name}: the API server rejected a token that it had just issued${clock(skewMs)}; try again, and check \`journalctl -u k3s\` on the jumphost`,
        )
      : new FleetError(
          `${name}: the API server is not ready (${status} ${body.slice(0, 200).trim()}); check \`journalctl -u k3s\` on the jumphost`,
        );
  } catch (error) {
    if (error instanceof FleetError || signal.aborted) throw error;
    if (clockCodes.has(errorCode(error) ?? '')) {
      throw new FleetError(
        `${name}: the API server's certificate is not valid at your workstation's current time${clock(skewMs)}; set the wrong clock or, if the certificate has expired, run \`systemctl restart k3s\` on the jumphost`,
        { cause: error },
      );
    }
    throw new FleetError(
      `${name}: the API server is not responding (${errorText(error)}); run \`systemctl status k3s\` on the jumphost`,
      { cause: error },
    );
  } finally {
    socket.destroy();
  }
}

function get(socket: Socket, ca: string, token: string, signal: AbortSignal) {
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const asked = request({
      path: '/readyz',
      headers: { authorization: `Bearer ${token}`, host: serverName },
      // An address is not a server name in TLS, but the certificate is verified for it.
      createConnection: () => connect({ socket, ca, host: serverName }),
      signal,
    });
    asked.on('error', reject);
    asked.on('response', (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    asked.end();
  });
}

const worthMentionMs = 60_000;

/** `; the API server's clock is 3 min ahead of your workstation's` */
function clock(skewMs: number): string {
  if (Math.abs(skewMs) < worthMentionMs) return '';
  const minutes = Math.round(Math.abs(skewMs) / 60_000);
  return `; the API server's clock is ${minutes} min ${skewMs > 0 ? 'ahead of' : 'behind'} your workstation's`;
}
