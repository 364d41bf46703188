/** Command lines for a person to paste. */
import type { GlobalName, SkoloCommand } from './command.ts';

const flags: Record<GlobalName, string> = {
  rack: '--rack',
  url: '--url',
  tokenFile: '--token-file',
};

/** `skolo power follow --rack rack4.yaml 'rpi-[001-040]'`: about the same rack as the present one. */
export function commandLine(command: SkoloCommand, verb: string, ...names: string[]): string {
  const globals = command.globals();
  const given = (['rack', 'url', 'tokenFile'] as const).flatMap((name) => {
    const value = globals[name];
    return command.gives(name) && value !== undefined ? [flags[name], value] : [];
  });
  return ['skolo', verb, ...[...given, ...names].map(quoted)].join(' ');
}

/** As a shell takes it for one word. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
