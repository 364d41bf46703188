/** Command lines for a person to paste. */
import type { GlobalName, SkoloCommand } from './command.ts';

const flags: Record<GlobalName, string> = {
  rack: '--rack',
  url: '--url',
  tokenFile: '--token-file',
};

/** `skolo power follow --rack rack4.yaml 'rpi-[001-040]'`: about the same rack as the present one. */
export function commandLine(command: SkoloCommand, verb: string, ...names: string[]): string {
  return ['skolo', verb, ...[...givenOptions(command), ...names].map(quoted)].join(' ');
}

/** What the present line says of the rack. */
export function givenOptions(command: SkoloCommand): string[] {
  const globals = command.globals();
  return (['rack', 'url', 'tokenFile'] as const).flatMap((name) => {
    const value = globals[name];
    return command.gives(name) && value !== undefined ? [flags[name], value] : [];
  });
}

/** As a shell takes it for one word. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
