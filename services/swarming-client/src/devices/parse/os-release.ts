import { versionsOf } from '../dimensions.ts';
import { readAssignments } from './lines.ts';

/**
 * The dimension `os` of a Linux: `Linux`, `Debian`, `Debian-12`, `Debian-12.4`.
 *
 * @param osRelease /etc/os-release, see os-release(5)
 * @param debianVersion /etc/debian_version, which is more exact where ID is debian or raspbian; of a testing it is a name
 */
export function osNames(osRelease: string, debianVersion = ''): string[] {
  const fields = readAssignments(osRelease);
  const id = fields.get('ID')?.trim() ?? '';
  if (id === '') return ['Linux'];
  const exact = /^(debian|raspbian)$/.test(id)
    ? /^\d+(\.\d+)*$/.exec(debianVersion.trim())?.[0]
    : undefined;
  const version = exact ?? fields.get('VERSION_ID')?.trim();
  return ['Linux', ...versionsOf(id.charAt(0).toUpperCase() + id.slice(1), version)];
}
