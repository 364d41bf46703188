/**
 * The versions in CHANGELOG.md, newest first.
 *
 * A heading is `## 1.2.0 (2026-11-01)`: the version and, once it is released, the day. `changes` is what users must know about it; it is
 * undefined if nothing is written there.
 *
 * @param {string} changelog text of CHANGELOG.md
 */
export function versionsIn(changelog) {
  const [, ...sections] = changelog.split(/^## /m);
  return sections.map((section) => {
    const [heading = '', ...lines] = section.split('\n');
    const [, version = '', day] = /^(\S+)(?: \((\d{4}-\d\d-\d\d)\))?/.exec(heading) ?? [];
    return { version, day, changes: lines.join('\n').trim() || undefined };
  });
}
