/** Commands of a restore. */
import type { RestoreAbout } from '../backup.ts';

interface Copy {
  /** Name of the file at the desk, and on the device unless `to` names another. */
  file: string;
  to?: string;
  user: string;
  /** Options that the device's ssh needs. */
  options?: string;
}

/** Fetches a version into a file, and copies that to the device by scp. */
export function copyToDevice({ device, id }: RestoreAbout, copy: Copy): string[] {
  const { file, to = file, user, options = '' } = copy;
  const { name, address = name, ports } = device;
  const port = ports.ssh === undefined || ports.ssh === 22 ? '' : `-P ${ports.ssh} `;
  return [
    `skolo backup show ${name} --version ${id} --secrets -o ${file}`,
    `scp -O ${options}${port}${file} ${user}@${address}:${to}`,
  ];
}

/** Writes lines to a file by a shell, whatever they are. */
export function hereDocument(file: string, lines: readonly string[]): string[] {
  let mark = 'END-OF-VERSION';
  while (lines.includes(mark)) mark += '-';
  return [`cat > ${file} << '${mark}'`, ...lines, mark];
}
