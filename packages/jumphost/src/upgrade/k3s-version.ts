/** Versions of k3s, and which of them may follow which. */

/** `v1.32.5+k3s1` */
const pattern = /^v(?<major>\d+)\.(?<minor>\d+)\.(?<patch>\d+)\+k3s(?<build>\d+)$/;

interface K3sVersion {
  major: number;
  minor: number;
  patch: number;
  build: number;
}

/** Undefined: it is not the version of a release. */
export function parseK3sVersion(text: string): K3sVersion | undefined {
  const groups = pattern.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const number = (name: keyof K3sVersion) => Number(groups[name]);
  const [major, minor] = [number('major'), number('minor')];
  return { major, minor, patch: number('patch'), build: number('build') };
}

/**
 * Why a server cannot be brought from one version to another; undefined where it can. Source: docs.k3s.io, Upgrades: no minor
 * version may be skipped, and only a snapshot of the database leads back.
 */
export function whyNoUpgrade(from: string, to: string): string | undefined {
  if (from === to) return undefined;
  const wanted = parseK3sVersion(to);
  if (wanted === undefined) return `${to} is not a version of k3s such as v1.32.5+k3s1`;
  const is = parseK3sVersion(from);
  if (is === undefined) return `it runs ${from}, which is not a release of k3s`;
  if (isBefore(wanted, is)) {
    return `it runs ${from}, and ${to} is older: a database that a newer version has used cannot be read by an older one`;
  }
  if (wanted.major === is.major && wanted.minor <= is.minor + 1) return undefined;
  return `it runs ${from}, and no minor version may be skipped; upgrade to v${is.major}.${is.minor + 1} first`;
}

function isBefore(a: K3sVersion, b: K3sVersion): boolean {
  const [first, second] = [a, b].map(({ major, minor, patch, build }) => [
    major,
    minor,
    patch,
    build,
  ]);
  const at = first?.findIndex((number, i) => number !== second?.[i]) ?? -1;
  return at !== -1 && Number(first?.[at]) < Number(second?.[at]);
}
