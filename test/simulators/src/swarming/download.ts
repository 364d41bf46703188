/** The way to the bot: `/bot_code` redirects to a version, and a version that is not known to the stable one. */
import type { Answer } from '../cloud/web-server.ts';
import { type BotCode, zipPath } from './bot-code.ts';
import type { SwarmingCall } from './calls.ts';

interface DownloadDeps {
  code: BotCode;
  accepts: ((token: string | undefined, botId: string) => boolean) | undefined;
  host: string;
  onZip: () => void;
}

export function download(
  { endpoint, path, token, botId }: SwarmingCall,
  deps: DownloadDeps,
): Answer {
  const { code, accepts, host } = deps;
  const url = new URL(path, 'http://swarming');
  const stable = code.stableFor(host);
  const known = endpoint === 'zip' ? code.find(url.pathname.slice(zipPath.length)) : undefined;
  // A version that is known needs no credential.
  if (!known) {
    const bot = botId ?? url.searchParams.get('bot_id');
    if (accepts && (bot === null || !accepts(token, bot))) {
      return text(403, 'This account may not fetch the code of the bot.\n');
    }
    return redirect(stable.version);
  }
  deps.onZip();
  return zip(known.bytes);
}

export function text(status: number, body: string): Answer {
  return { status, body };
}

function redirect(version: string): Answer {
  return { status: 302, headers: { location: `${zipPath}${version}` } };
}

function zip(body: Buffer): Answer {
  const headers = {
    'content-type': 'application/octet-stream',
    'content-disposition': 'attachment; filename=swarming_bot.zip',
    'cache-control': 'public, max-age=3600',
  };
  return { status: 200, headers, body };
}
