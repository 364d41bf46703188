/** Versions that are installed where there is none. */

/** https://nodejs.org/dist */
export const nodeVersion = '24.21.0';
/**
 * SHA-256 of its archives (.tar.gz) by platform, from SHASUMS256.txt of that version. nodejs.org could not be reached when they were written here: more than five public repositories
 * that are independent of each other pin each of them.
 */
export const nodeSums: ReadonlyMap<string, string> = new Map([
  ['linux-x64', '6e1db87ef58b8819e5d5402eff1536491b18edd8eb7bee5ef7897876e88dc5ff'],
  ['linux-arm64', '724282c3b43aec998aa9527380465b45d229e021b58035f5f4f63095eabfe5d5'],
]);
/** https://github.com/k3s-io/k3s/releases. Its checksums are not known here: a person confirms them once at each workstation. */
export const k3sVersion = 'v1.32.5+k3s1';
