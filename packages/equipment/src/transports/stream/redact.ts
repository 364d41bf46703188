/** Decides what is removed from messages and transcripts: secrets of the login, and values that look like secrets. */

const longestCommand = 200;

/** A command, quoted, for messages. Only its first line, because further lines are a configuration with secrets. */
export function quotedCommand(command: string): string {
  const first = command.split(/[\r\n]/, 1)[0] ?? '';
  return JSON.stringify(
    first.length === command.length && first.length <= longestCommand
      ? command
      : `${first.slice(0, longestCommand)}…`,
  );
}

/** Text after one of these words in a configuration must not be logged. */
const named =
  /((?:password|passwd|secret|community|key|psk|authkey|snmp-server host \S+)["']?(?:\s*[=:]\s*|\s+))\S.*/gi;

/** The text without these secrets, and without the text after a word such as `password` on its line. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const known = secrets.filter((secret) => secret !== '');
  const hidden = known.reduce((rest, secret) => rest.replaceAll(secret, '<secret>'), text);
  return hidden.replace(named, '$1<secret>');
}
