const longest = 200;

/**
 * A command, quoted, as errors show it. Of one with many lines only the first, as the others are a configuration that is
 * to be loaded, with all its secrets.
 */
export function shownCommand(command: string): string {
  const first = command.split(/[\r\n]/, 1)[0] ?? '';
  return JSON.stringify(
    first.length === command.length && first.length <= longest
      ? command
      : `${first.slice(0, longest)}…`,
  );
}
