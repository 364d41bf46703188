/**
 * Finds a version's section in CHANGELOG.md: what users must know about it. Undefined if it is missing or empty.
 *
 * @param {string} changelog text of CHANGELOG.md
 * @param {string} version
 */
export function changesIn(changelog, version) {
  const sections = changelog.split(/^## /m);
  const section = sections.find((each) => /^\S+/.exec(each)?.[0] === version);
  const [, ...lines] = section?.split('\n') ?? [];
  return lines.join('\n').trim() || undefined;
}
