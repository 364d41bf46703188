/** Links between pages: each leads to a file, and to a heading of it. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { filesOf, pageAt } from './page.ts';

const files = filesOf();
const pages = new Map(
  files
    .filter((file) => file.endsWith('.md'))
    .map((file) => [file, withoutBlocks(readFileSync(pageAt(file), 'utf8'))]),
);

it('links of pages lead to files and headings that exist', () => {
  const links = [...pages].flatMap(([file, text]) =>
    [...text.matchAll(/\]\((?!\w+:)(?<path>[^)#\s]*)(?:#(?<heading>[^)\s]*))?\)/g)].map(
      ({ groups = {} }) => ({ file, path: groups.path ?? '', heading: groups.heading }),
    ),
  );
  const broken = links.filter(({ file, path, heading }) => {
    const target = path === '' ? file : join(dirname(file), path);
    if (!existsSync(pageAt(target))) return true;
    return heading !== undefined && !headingsOf(target).includes(heading);
  });

  expect(links.length).toBeGreaterThan(400);
  expect(broken).toEqual([]);
});

it('headings of a page have different links', () => {
  const doubled = [...pages.keys()].flatMap((file) => {
    const headings = headingsOf(file);
    return headings.filter((each, at) => headings.indexOf(each) < at).map((each) => [file, each]);
  });

  expect(doubled).toEqual([]);
});

it('paths in ARCHITECTURE.md exist, those in a table below the directory of its head or row', () => {
  let head = '';
  const lines = pages.get('ARCHITECTURE.md')?.split('\n') ?? [];
  const missing = lines.flatMap((line) => {
    const names = [...line.matchAll(/`([\w.-]+(?:\/[\w.-]*)+|[\w-]+\.m?[tj]s)`/g)].map(
      ([, name = '']) => name,
    );
    if (line === '' || line.startsWith('| directory in')) head = names[0] ?? '';
    const [first = ''] = names;
    const row = existsSync(pageAt(first)) ? first : join(head, first);
    const place = line.startsWith('|') ? dirname(row) : '.';
    const isBelow = (file: string, name: string) =>
      (place === '.' || file.startsWith(`${place}/`)) && `/${file}`.includes(`/${name}`);
    return names.filter(
      (name) =>
        !/\b[A-Z]+\//.test(name) &&
        !existsSync(pageAt(name)) &&
        !files.some((file) => isBelow(file, name)),
    );
  });

  expect(missing).toEqual([]);
});

/** As GitHub writes them in links; of a directory, those of its README. */
function headingsOf(target: string): string[] {
  const page = statSync(pageAt(target)).isDirectory() ? join(target, 'README.md') : target;
  const headings = pages.get(page)?.matchAll(/^#+ (.*)$/gm) ?? [];
  return [...headings].map(([, text = '']) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-'),
  );
}

function withoutBlocks(text: string): string {
  return text.replaceAll(/^( *)```.*?^\1```$/gms, '');
}
