/** Texts for messages and transcripts, without secrets. */

const longestCommand = 200;

/**
 * A command, quoted, for messages. Only its first line, as further lines are a configuration with secrets.
 */
export function quotedCommand(command: string): string {
  const first = command.split(/[\r\n]/, 1)[0] ?? '';
  return JSON.stringify(
    first.length === command.length && first.length <= longestCommand
      ? command
      : `${first.slice(0, longestCommand)}…`,
  );
}

/** Words that follow one of these in a configuration are not for a log. */
const named = /((?:password|passwd|secret|community|key|psk|authkey)["']?\s*[\s=:]\s*)\S.*/gi;

/** The text without these secrets, and without what follows a word such as `password` on its line. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const known = secrets.filter((secret) => secret !== '');
  const hidden = known.reduce((rest, secret) => rest.replaceAll(secret, '<secret>'), text);
  return hidden.replace(named, '$1<secret>');
}
