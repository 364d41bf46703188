/** The way to the bot: `/bot_code` redirects to a version, and a version that is not known to the stable one. */
import type { ServerResponse } from 'node:http';
import { type BotCode, corrupted, zipPath } from './bot-code.ts';
import type { SwarmingCall } from './calls.ts';
import type { SwarmingFault } from './faults.ts';

export interface Answer {
  status: number;
  headers: Record<string, string | number>;
  body: Buffer | string;
  /** The connection dies in the middle of the body. */
  isCut?: boolean;
}

interface DownloadDeps {
  code: BotCode;
  accepts: ((token: string | undefined, botId: string) => boolean) | undefined;
  host: string;
  fault: SwarmingFault | undefined;
  onZip: () => void;
}

export function download(
  { endpoint, path, token, botId }: SwarmingCall,
  deps: DownloadDeps,
): Answer {
  const { code, accepts, host, fault } = deps;
  const url = new URL(path, 'http://swarming');
  const stable = code.stableFor(host);
  const known = endpoint === 'zip' ? code.find(url.pathname.slice(zipPath.length)) : undefined;
  // A version that is known needs no credential.
  if (!known) {
    const bot = botId ?? url.searchParams.get('bot_id');
    if (accepts && (bot === null || !accepts(token, bot))) {
      return text(403, 'This account may not fetch the code of the bot.\n');
    }
    if (fault !== 'no-redirect') return redirect(stable.version);
  }
  const { bytes } = known ?? stable;
  switch (fault) {
    case 'half-body':
      return { ...zip(bytes), isCut: true };
    case 'corrupt-zip':
      return zip(corrupted(bytes));
    case 'wrong-server':
      return zip(code.stableFor(`other.${host}`).bytes);
    default:
      deps.onZip();
      return zip(bytes);
  }
}

export function text(status: number, body: string): Answer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

export function json(value: unknown): Answer {
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  return { status: 200, headers, body: JSON.stringify(value) };
}

export function write(response: ServerResponse, { status, headers, body, isCut }: Answer): void {
  response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers });
  if (!isCut) {
    response.end(body);
    return;
  }
  const half = Buffer.from(body).subarray(0, Math.floor(Buffer.byteLength(body) / 2));
  response.write(half, () => response.socket?.resetAndDestroy());
}

function redirect(version: string): Answer {
  return { status: 302, headers: { location: `${zipPath}${version}` }, body: '' };
}

function zip(body: Buffer): Answer {
  const headers = {
    'content-type': 'application/octet-stream',
    'content-disposition': 'attachment; filename=swarming_bot.zip',
    'cache-control': 'public, max-age=3600',
  };
  return { status: 200, headers, body };
}
