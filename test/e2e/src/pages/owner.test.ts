/** Pages contain the values of owner.yaml, and the versions in CHANGELOG.md. `npm run generate` writes them. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { monthsAfter } from '../../../../scripts/dependencies/calendar.mjs';
import { versionsIn } from '../../../../scripts/release/changelog.mjs';
import { placeholder, readOwner } from '../../../../scripts/release/owner.mjs';
import { pageAt, tableOf } from './page.ts';

const owner = readOwner(pageAt(''));
const { repository, contact, maintainers, signer, apt, supportMonths } = owner;
const advisories = `${repository}/security/advisories/new`;

/** Of each page, its generated parts by name. */
const pages: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'SECURITY.md': {
    contact: `Write to **${contact}**, or open a private advisory at **${advisories}**.`,
  },
  'SUPPORT.md': { versions: versionsTable() },
  'MAINTAINERS.md': {
    maintainers: tableOf(
      ['maintainer', 'account'],
      maintainers === placeholder
        ? [[placeholder, placeholder]]
        : maintainers.map(({ name, account }) => [name, account]),
    ).trim(),
  },
  'docs/reference/release.md': {
    channels: tableOf(
      ['channel', 'address'],
      [
        ['files', `${repository}/releases`],
        ['apt repository', `${apt.url}, signed by the OpenPGP key ${apt.key}`],
        ['images', `${owner.images}NAME:VERSION`],
        ['npm', '`@skolo/cli`'],
        ['key that signs `SHA256SUMS`', signer],
      ],
    ).trim(),
  },
  '.github/ISSUE_TEMPLATE/config.yml': {
    security: `contact_links:
  - name: A vulnerability
    url: ${repository === placeholder ? placeholder : advisories}
    about: Report it privately; SECURITY.md says what happens then.`,
  },
};

/** Minor versions, newest first. A patch release does not extend the time. */
function versionsTable(): string {
  const changelog = readFileSync(pageAt('CHANGELOG.md'), 'utf8');
  const minors = new Map<string, string>();
  for (const { version, day } of versionsIn(changelog)) {
    if (day !== undefined) minors.set(version.replace(/\.\d+$/, ''), day);
  }
  const rows = [...minors].map(([minor, day]) => [minor, day, monthsAfter(day, supportMonths)]);
  return tableOf(['version', 'released', 'gets fixes until'], rows).trim();
}

it.each(Object.entries(pages))('%s is current', async (path, parts) => {
  let text = readFileSync(pageAt(path), 'utf8');

  for (const [name, content] of Object.entries(parts)) {
    const [begin, end] = path.endsWith('.md')
      ? [`<!-- generated: ${name} -->\n`, '<!-- /generated -->']
      : [`# generated: ${name}\n`, '# /generated'];
    const [from, to] = [text.indexOf(begin), text.indexOf(end, text.indexOf(begin))];
    expect(from, name).toBeGreaterThan(-1);
    const space = path.endsWith('.md') ? '\n' : '';
    text = `${text.slice(0, from)}${begin}${space}${content}\n${space}${text.slice(to)}`;
  }

  await expect(text).toMatchFileSnapshot(pageAt(path));
});

it('SUPPORT.md has a tier for each service', () => {
  const support = readFileSync(pageAt('SUPPORT.md'), 'utf8');

  const names = readdirSync(pageAt('services'));

  expect(names.filter((name) => !RegExp(`^\\|.*\\b${name}\\b.*\\|`, 'm').test(support))).toEqual(
    [],
  );
});
