/** Words that follow one of these in a configuration are not for a log. */
const named = /((?:password|passwd|secret|community|key|psk|authkey)["']?\s*[\s=:]\s*)\S.*/gi;

/** The text without these secrets, and without what follows a word such as `password` on its line. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const known = secrets.filter((secret) => secret !== '');
  const hidden = known.reduce((rest, secret) => rest.replaceAll(secret, '<secret>'), text);
  return hidden.replace(named, '$1<secret>');
}
