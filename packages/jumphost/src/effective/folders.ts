/** Checks the directories on the way to programs, settings and keys: whoever can write one of them replaces what is in it. */
import { dirname } from 'node:path';

/** What root runs or trusts. */
const paths = `/opt/skolo/services /usr/bin /usr/local/bin /usr/local/sbin /usr/lib/systemd/system /etc/systemd/system /etc/cron.d
/etc/ssh/sshd_config.d /etc/sudoers.d /etc/skolo /etc/rancher/k3s /var/lib/skolo /var/lib/rancher/k3s/server /root/.ssh/authorized_keys`;
/** Processes without root's rights need these. */
const shared = '/ /etc /opt /opt/skolo /usr /usr/bin /usr/local /usr/local/bin /var /var/lib';

function withParents(path: string): string[] {
  return path === '/' ? [path] : [...withParents(dirname(path)), path];
}

const all = [...new Set(paths.split(/\s/).flatMap(withParents))].join(' ');
const writable = `find -L ${all} -maxdepth 0 ( ! -uid 0 -o -perm /002 )`.replace(/[()]/g, '\\$&');
const closed = `find -L ${shared} -maxdepth 0 ! -perm -005`;

/** A script. */
export const foldersInEffect = `${writable} -printf '%p has mode %m and owner %u, so users other than root can replace programs, settings or keys\\n' 2>/dev/null
${closed} -printf '%p has mode %m, so services without root rights cannot read it\\n' 2>/dev/null || true`;
export const repairFolders = `${writable} -exec chown root {} + -exec chmod o-w {} + 2>/dev/null
${closed} -exec chmod o+rx {} + 2>/dev/null || true`;
