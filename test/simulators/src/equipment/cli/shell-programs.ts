/** Programs that every BusyBox has. */
import type { Call, Output, Program } from './shell.ts';

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
  sleep: async ({ args, terminal }) => {
    await terminal.pause(Number(args[0]) * 1000);
    return {};
  },
  true: () => ({}),
};
