/** What a Cisco switch does with files: it saves its configuration, and replaces it by one in flash. */
import type { CiscoState } from './cisco.ts';

export function save({ device, terminal }: CiscoState): string {
  device.settings.save(terminal.session.user);
  return 'Building configuration...\n[OK]\n';
}

export async function copyToStartup(state: CiscoState): Promise<string> {
  await state.terminal.readLine('Destination filename [startup-config]? ');
  return save(state);
}

export async function replaceConfiguration(state: CiscoState, words: string[]): Promise<string> {
  const { device, terminal } = state;
  const text = device.flash.files.get(words[2] ?? '');
  if (text === undefined) return `%Error opening ${words[2]} (No such file or directory)\n`;
  if (!/^end$/m.test(text)) {
    return `%The input file is not a valid config file.\n`;
  }
  if (words[3] !== 'force') {
    const answer = await terminal.readLine(
      'This will apply all necessary additions and deletions\nto replace the current running configuration with the\ncontents of the specified configuration file, which is\nassumed to be a complete configuration, not a partial\nconfiguration. Enter Y if you are sure you want to proceed. ? [no]: ',
    );
    if (!/^y/i.test(answer)) return '';
  }
  terminal.session.act(() => device.settings.replace(text, terminal.session.user));
  return '\nTotal number of passes: 1\nRollback Done\n\n';
}

export function showFile({ device, terminal }: CiscoState, words: string[]): string {
  const text = device.flash.files.get(words[1] ?? '');
  if (text === undefined) return `%Error opening ${words[1]} (File not found)\n`;
  return terminal.session.configuration(text);
}

export function deleteFile({ device }: CiscoState, words: string[]): string {
  return device.flash.files.delete(words[2] ?? '')
    ? ''
    : `%Error deleting ${words[2]} (No such file or directory)\n`;
}
