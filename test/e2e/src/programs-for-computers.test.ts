/** Programs that run on other computers stand in files of their own, which their interpreters and shellcheck read. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { lacks } from '@skolo/simulators/peer';
import { describe, expect, it } from 'vitest';
import { parseAst } from 'vitest/node';
import { filesOf, pageAt } from './pages/page.ts';

const root = pageAt('');
const tracked = filesOf();

function textOf(file: string): string {
  return readFileSync(pageAt(file), 'utf8');
}

/** What shellcheck reports, but these scripts mean. Where one of them means something else, a line above it says so. */
const meant = {
  SC1091: 'files such as /etc/os-release are on the computer',
  SC2015: '`A && B || C`, where B is a test or prints',
  SC2016: 'scripts and formats in single quotes are for other programs',
  SC2174: '`mkdir -p -m`: only the last folder is private',
};

describe('shell scripts', () => {
  const scripts = new Map(
    tracked
      .filter((file) => /\.sh$|(^|\/)[\w-]+$/.test(file))
      .flatMap((file) => {
        const [, shell] = /^#!\/bin\/(sh|bash)\n/.exec(textOf(file)) ?? [];
        return shell ? [[file, shell] as const] : [];
      }),
  );
  const posix = [...scripts].flatMap(([file, shell]) => (shell === 'sh' ? [file] : []));
  const bash = [...scripts.keys()].filter((file) => !posix.includes(file));

  /** What the program prints about files, which it only reads. */
  function saidBy(program: string, ...args: readonly string[]): string {
    const { stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: 'utf8' });
    return `${stdout}${stderr}`;
  }

  it('name their shell in the first line', () => {
    expect(posix.length).toBeGreaterThan(20);
    expect(tracked.filter((file) => file.endsWith('.sh') && !scripts.has(file))).toEqual([]);
  });

  it('are read by dash and bash', () => {
    expect(posix.map((file) => saidBy('dash', '-n', file)).join('')).toBe('');
    expect(bash.map((file) => saidBy('bash', '-n', file)).join('')).toBe('');
  });

  it.skipIf(lacks('busybox'))('are read by BusyBox', () => {
    expect(posix.map((file) => saidBy('busybox', 'sh', '-n', file)).join('')).toBe('');
  });

  it.skipIf(lacks('shellcheck'))('have nothing that shellcheck reports', () => {
    const args = ['--format=gcc', `--exclude=${Object.keys(meant)}`, ...scripts.keys()];
    expect(saidBy('shellcheck', ...args)).toBe('');
  });
});

/** Lines of shell, JavaScript, Python and Perl, which no unit and no configuration file has. */
const ofProgram =
  /\$\(|>&2|2>|\|\||&&|; (?:do|then)\b|^(?:set|exec|trap) |\b(?:const|import) .*[;(]|^def |\$[1-9]/m;
/** A section of a unit. Its commands may be short scripts. */
const ofUnit = /^\[\w+\]$/m;

function isProgram(text: string): boolean {
  return ofProgram.test(text) && (text.startsWith('#!') || !ofUnit.test(text));
}

/** The template strings of a module, each with its first line's number. */
function templatesOf(module: string): { line: number; text: string }[] {
  const found: { line: number; text: string }[] = [];
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('type' in node && node.type === 'TemplateLiteral' && 'quasis' in node) {
      const { start, quasis } = node as unknown as {
        start: number;
        quasis: { value: { cooked: string } }[];
      };
      found.push({
        line: module.slice(0, start).split('\n').length,
        text: quasis.map(({ value }) => value.cooked).join('…'),
      });
    }
    for (const each of Object.values(node)) walk(each);
  };
  walk(parseAst(module, { lang: 'ts' }));
  return found;
}

/** At most this many lines of a program may stand in a string. */
const mostLines = 10;

it('are not in strings of more than ten lines', () => {
  const modules = tracked.filter(
    (file) =>
      /^(packages|services|scripts)\/.*\.(ts|mjs)$/.test(file) &&
      !/\.test\.\w+$|\/(testing|bench)\//.test(file),
  );

  const found = modules.flatMap((file) =>
    templatesOf(textOf(file)).flatMap(({ line, text }) =>
      text.split('\n').length > mostLines && isProgram(text) ? [`${file}:${line}`] : [],
    ),
  );

  expect(modules.length).toBeGreaterThan(1000);
  expect(found).toEqual([]);
});
