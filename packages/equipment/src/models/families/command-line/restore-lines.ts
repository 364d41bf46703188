/** The steps of a restore at a command line, and their commands. */
import type { RestoreAbout, RestoreStep } from '../../contract/backup.ts';
import type { Device } from '../../contract/device.ts';

interface Copy {
  /** Name of the file on the workstation, and on the device unless `to` names another. */
  file: string;
  to?: string;
  user: string;
  /** Options for ssh that the device requires. */
  options?: string;
}

/** @param lines to type at the device */
export function onDevice(title: string, lines: string[]): RestoreStep {
  return { title, where: 'equipment', lines };
}

/** @param lines to type on the workstation */
export function onWorkstation(title: string, lines: string[]): RestoreStep {
  return { title, where: 'workstation', lines };
}

/** Saves a version to a file, and copies it to the device by scp. */
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

/** ssh and scp options for a non-standard port. */
export function portOption({ ports }: Device, option: '-p' | '-P'): string {
  return ports.ssh === undefined || ports.ssh === 22 ? '' : `${option} ${ports.ssh} `;
}

/** Writes arbitrary lines to a file with a shell. */
export function hereDocument(file: string, lines: readonly string[]): string[] {
  let mark = 'END-OF-VERSION';
  while (lines.includes(mark)) mark += '-';
  return [`cat > ${file} << '${mark}'`, ...lines, mark];
}
