/** Decides which k3s version is installed, and which upgrade paths are allowed. */

/**
 * Version for new installations: https://github.com/k3s-io/k3s/releases. The kubelet of test/control-plane has the same minor version.
 */
export const k3sVersion = 'v1.36.3+k3s1';

/**
 * SHA-256 checksums of its programs, from sha256sum-ARCH.txt of that release. github.com could not be reached when they were added: six
 * independent public repositories pin the same values. An operator confirms the checksums of other files once on each workstation.
 */
export const k3sSums: ReadonlyMap<string, string> = new Map([
  ['k3s', '2f98a9f8fe5782479ee2d54e70a1b10a7f6fd4cae8d38ed3098452dc6eed76b5'],
  ['k3s-arm64', 'c9a209103f480f163b7c6a56f00862b4481927b284dc29a3716bb70d886691a8'],
]);

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

/** Kubelets may be at most this many minor versions older than their API server. Source: kubernetes.io, Version Skew Policy. */
const mostMinorsAtOnce = 3;
const releases = 'https://github.com/k3s-io/k3s/releases';

/**
 * Why a server cannot be upgraded from one version through the others, in order; undefined if it can. Versions that it has already
 * passed are ignored. Source: docs.k3s.io, Upgrades: minor versions must not be skipped, and a rollback requires a database snapshot.
 */
export function whyNoUpgrade(from: string, versions: readonly string[]): string | undefined {
  const to = versions.at(-1);
  if (to === undefined || from === to) return undefined;
  const wrong = versions.find((each) => parseK3sVersion(each) === undefined);
  if (wrong !== undefined) return `${wrong} is not a k3s version such as v1.32.5+k3s1`;
  const is = parseK3sVersion(from);
  const wanted = parseK3sVersion(to);
  if (is === undefined || wanted === undefined) {
    return `the installed version ${from} is not a k3s release`;
  }
  if (isOlder(to, from)) {
    return `the installed version ${from} is newer than ${to}; k3s cannot be downgraded, because an older version cannot read the database`;
  }
  if (is.major !== wanted.major)
    return `${to} and the installed ${from} have different major versions`;
  const way = wayThrough(from, versions);
  const skips = way.some((each, at) => minorOf(way[at + 1] ?? each) > minorOf(each) + 1);
  if (skips) {
    const between = Array.from(
      { length: wanted.minor - is.minor - 1 },
      (_, at) => `v${is.major}.${is.minor + 1 + at}.N+k3s1`,
    );
    return `the installed version is ${from}, and an upgrade cannot skip minor versions; specify one release of each minor version with --k3s ${[...between, to].join(',')} (see ${releases})`;
  }
  if (wanted.minor <= is.minor + mostMinorsAtOnce) return undefined;
  const most = way.findLast((each) => minorOf(each) <= is.minor + mostMinorsAtOnce);
  return `the installed version is ${from}, but machines may be at most ${mostMinorsAtOnce} minor versions older than their server; upgrade the jumphost and the machines to ${most} first`;
}

/** The versions that a server runs, one after the other. */
export function wayThrough(from: string, versions: readonly string[]): string[] {
  return [from, ...versions.filter((each) => isOlder(from, each))];
}

function minorOf(version: string): number {
  return parseK3sVersion(version)?.minor ?? 0;
}

/** Whether a version comes before another one. Both are releases. */
export function isOlder(version: string, other: string): boolean {
  const [first, second] = [version, other].map((each) => {
    const { major, minor, patch, build } = parseK3sVersion(each) ?? {};
    return [major, minor, patch, build];
  });
  const at = first?.findIndex((number, i) => number !== second?.[i]) ?? -1;
  return at !== -1 && Number(first?.[at]) < Number(second?.[at]);
}
