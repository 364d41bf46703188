/** Programs that every BusyBox has. */
import { createHash } from 'node:crypto';
import { encodeText } from '../text-bytes.ts';
import type { Call, Output, Program } from './box.ts';
import { scp } from './scp.ts';

function cat({ args, stdin, box, terminal }: Call): Output {
  if (args.length === 0) return { stdout: stdin ?? '' };
  const found = args.map((path) => ({ path, text: box.files.read(path) }));
  const text = found.map(({ text = '' }) => text).join('');
  const isConfiguration = args.some((path) => box.files.isConfiguration?.(path) ?? false);
  return {
    stdout: isConfiguration ? terminal.session.configuration(text) : text,
    stderr: found
      .filter(({ text }) => text === undefined)
      .map(({ path }) => `cat: can't open '${path}': No such file or directory\n`)
      .join(''),
    status: found.every(({ text }) => text !== undefined) ? 0 : 1,
  };
}

/** `grep PATTERN FILE…` names the files when there are several. */
function grep({ args, stdin, box }: Call): Output {
  const [pattern = '', ...paths] = args.filter((arg) => !/^-[Eq]+$/.test(arg));
  const expression = new RegExp(pattern);
  const sources = paths.length > 0 ? paths : [''];
  const lines = sources.flatMap((path) => {
    const text = path === '' ? stdin : box.files.read(path);
    const matching = (text ?? '')
      .split('\n')
      .filter((line) => line !== '' && expression.test(line));
    return paths.length > 1 ? matching.map((line) => `${path}:${line}`) : matching;
  });
  return { stdout: lines.map((line) => `${line}\n`).join(''), status: lines.length > 0 ? 0 : 1 };
}

/** One line for each file, or for what a pipe brings; `line` makes it of the bytes. */
function eachFile(program: string, line: (bytes: Buffer, path: string) => string): Program {
  return ({ args, stdin, box }) => {
    const paths = args.filter((arg) => !arg.startsWith('-'));
    if (paths.length === 0) return { stdout: line(encodeText(stdin ?? ''), '') };
    const output = { stdout: '', stderr: '', status: 0 };
    for (const path of paths) {
      const text = box.files.read(path);
      if (text === undefined) {
        output.stderr += `${program}: ${path}: No such file or directory\n`;
        output.status = 1;
      } else {
        output.stdout += line(encodeText(text), path);
      }
    }
    return output;
  };
}

function checksum(algorithm: 'md5' | 'sha256'): Program {
  return eachFile(`${algorithm}sum`, (bytes, path) => {
    const digest = createHash(algorithm).update(bytes).digest('hex');
    return `${digest}  ${path === '' ? '-' : path}\n`;
  });
}

/** Which not every BusyBox has. */
export const sha256sum = checksum('sha256');

/** `wc -c`: only bytes are counted. */
const wc = eachFile('wc', (bytes, path) => `${bytes.length}${path === '' ? '' : ` ${path}`}\n`);

function rm({ args, box }: Call): Output {
  const missing = args
    .filter((arg) => !arg.startsWith('-'))
    .filter((path) => !(box.files.remove?.(path) ?? false));
  if (missing.length === 0 || args.includes('-f')) return {};
  return {
    stderr: missing
      .map((path) => `rm: can't remove '${path}': No such file or directory\n`)
      .join(''),
    status: 1,
  };
}

export const builtIns: Readonly<Record<string, Program>> = {
  cat,
  echo: ({ args }) =>
    args[0] === '-n' ? { stdout: args.slice(1).join(' ') } : { stdout: `${args.join(' ')}\n` },
  false: () => ({ status: 1 }),
  grep,
  ls: ({ args, box }) => {
    const dir = (args.find((arg) => !arg.startsWith('-')) ?? '').replace(/\/$/, '');
    const names = box.files.list().filter((path) => path.startsWith(`${dir}/`));
    return { stdout: names.map((path) => `${path.slice(dir.length + 1)}\n`).join('') };
  },
  md5sum: checksum('md5'),
  rm,
  scp,
  sync: () => ({}),
  sleep: async ({ args, terminal }) => {
    await terminal.pause(Number(args[0]) * 1000);
    return {};
  },
  true: () => ({}),
  umask: () => ({}),
  wc,
};
