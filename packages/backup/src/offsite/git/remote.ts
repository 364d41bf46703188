/** Git remotes as people write them: `ssh://…`, `git@host:path`, `https://…`, `file://…`, a path. */
import { BackupError } from '@skolo/equipment/models/configuration';

export interface Remote {
  /** The URL for git, without the user and password of `https://`. */
  url: string;
  kind: 'ssh' | 'https' | 'local';
  /** Of ssh. */
  host?: string;
  port?: number;
  /** `user:password` of `https://`. */
  credentials?: string;
}

const scpLike = /^(?:[\w.-]+@)?(?<host>[\w.-]+|\[[\da-fA-F:.]+\]):(?!\/\/)./;

/** @throws BackupError `rejected` */
export function parseRemote(remote: string): Remote {
  if (remote.startsWith('/')) return { url: remote, kind: 'local' };
  const short = scpLike.exec(remote)?.groups;
  if (short?.host !== undefined) {
    return { url: remote, kind: 'ssh', host: checked(short.host), port: 22 };
  }
  if (!URL.canParse(remote)) throw notUnderstood();
  const url = new URL(remote);
  if (url.protocol === 'file:') return { url: remote, kind: 'local' };
  if (url.protocol === 'ssh:') {
    return { url: remote, kind: 'ssh', host: checked(url.hostname), port: Number(url.port || 22) };
  }
  if (url.protocol !== 'https:') throw notUnderstood();
  const { username, password } = url;
  url.username = '';
  url.password = '';
  return {
    url: url.href,
    kind: 'https',
    ...(username !== '' && {
      credentials: `${decodeURIComponent(username)}:${decodeURIComponent(password)}`,
    }),
  };
}

/** For people, without user and password; also for a text with several URLs. */
export function shownRemote(remote: string): string {
  return remote.replaceAll(/(?<=:\/\/)[^/@\s]*@/g, '');
}

/** It becomes an argument of programs. */
function checked(host: string): string {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (!/^[\da-zA-Z_:][\w.:-]*$/.test(bare)) throw notUnderstood();
  return bare;
}

function notUnderstood() {
  return new BackupError(
    'rejected',
    'the git remote must be ssh://…, user@host:path, https://…, file://… or an absolute path',
  );
}
