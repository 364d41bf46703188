/** Commands of a restore. */
import type { RestoreAbout } from '../../contract/backup.ts';
import type { Device } from '../../contract/device.ts';

interface Copy {
  /** Name of the file on the workstation, and on the device unless `to` names another. */
  file: string;
  to?: string;
  user: string;
  /** Options that the device's ssh needs. */
  options?: string;
}

/** Fetches a version into a file, and copies that to the device by scp. */
export function copyToDevice({ device, id }: RestoreAbout, copy: Copy): string[] {
  const { file, to = file, user, options = '' } = copy;
  const { name, address = name } = device;
  return [
    fetchVersion({ device, id }, file),
    `scp -O ${options}${portOption(device, '-P')}${file} ${user}@${address}:${to}`,
  ];
}

export function fetchVersion(
  { device, id }: Pick<RestoreAbout, 'device' | 'id'>,
  file: string,
): string {
  return `skolo backup show ${device.name} --version ${id} --secrets -o ${file}`;
}

/** Of ssh and its relatives, where the port is not the usual one. */
export function portOption({ ports }: Device, option: '-p' | '-P'): string {
  return ports.ssh === undefined || ports.ssh === 22 ? '' : `${option} ${ports.ssh} `;
}

/** Writes lines to a file by a shell, whatever they are. */
export function hereDocument(file: string, lines: readonly string[]): string[] {
  let mark = 'END-OF-VERSION';
  while (lines.includes(mark)) mark += '-';
  return [`cat > ${file} << '${mark}'`, ...lines, mark];
}
