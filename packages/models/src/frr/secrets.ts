/** Secrets in a configuration of FRRouting. */
import type { SecretRule } from '../contract/backup.ts';

const lines: readonly RegExp[] = [
  /^\s*(?:enable )?password (?:8 )?(\S.*)$/,
  // BGP, LDP, MSDP, BMP.
  /\bneighbor \S+ password (\S.*)$/,
  // OSPF: of interfaces, virtual links, and OSPFv3.
  /\bauthentication-key (?:\d+ )?(\S+)/,
  /\bmessage-digest-key \d+ md5 (\S+)/,
  /\bhash-algo \S+ key (\S+)/,
  // IS-IS, OpenFabric.
  /\b(?:area-password|domain-password|isis password|openfabric password) (?:clear|md5) (\S+)/,
  // RIP, EIGRP.
  /\bauthentication string (\S+)/,
  /^\s*key-string (\S.*)$/,
  // NHRP.
  /\bnhrp authentication (\S+)/,
  /\bsnmp-server community (\S+)/,
];

export const secrets: readonly SecretRule[] = lines;

/** For messages, which may quote a line: replaces each secret with `<secret>`. */
export function withoutSecrets(text: string): string {
  return text
    .split('\n')
    .map((line) => [...lines, /\bpassword (?:8 )?(\S+)/].reduce(hide, line))
    .join('\n');
}

function hide(line: string, rule: RegExp): string {
  return line.replace(rule, (match: string, secret: string) =>
    secret.startsWith('<secret>') ? match : `${match.slice(0, -secret.length)}<secret>`,
  );
}
