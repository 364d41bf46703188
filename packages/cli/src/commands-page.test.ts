/** docs/reference/commands.md lists the program's commands. `npm run generate` writes it. */
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runCommand } from './testing/run-command.ts';

const file = fileURLToPath(new URL('../../../docs/reference/commands.md', import.meta.url));

interface Listed {
  usage: string;
  summary: string;
}

it('docs/reference/commands.md lists every command', async () => {
  const commands = await commandsOf([]);
  const width = Math.max(...commands.map(({ usage }) => usage.length));
  const lines = commands.map(({ usage, summary }) => `${usage.padEnd(width)}  ${summary}`);
  const page = `<!-- Made by \`npm run generate\` from the command's help. Do not edit. -->

# Commands

\`skolo COMMAND --help\` describes a command's options, and shows an example.

\`\`\`
${lines.join('\n')}
\`\`\`
`;

  expect(commands.length).toBeGreaterThan(80);
  await expect(page).toMatchFileSnapshot(file);
});

/** The commands below these words, depth first. */
async function commandsOf(words: readonly string[]): Promise<Listed[]> {
  const help = await helpOf(words);
  const lists = help.matchAll(/\n(?:Commands|Look|Act|Set up):\n((?: {2}.*\n?)+)/g);
  const unfolded = [...lists]
    .map(([, list]) => list)
    .join('')
    .replaceAll(/\n {8,}(?=\S)/g, ' ');
  const rows = [...unfolded.matchAll(/^ {2}(?!help)(\S+) ?(.*?) {2,}(\S.*)$/gm)];
  const found = await Promise.all(
    rows.map(async ([, name = '', , summary = '']): Promise<Listed[]> => {
      const path = [...words, name];
      const [, usage = ''] = /^Usage: (.*)$/m.exec(await helpOf(path)) ?? [];
      const isOnlyNoun = usage.endsWith(' [command]');
      const own = usage.replace(/ \[(options|command)\]/g, '');
      return [...(isOnlyNoun ? [] : [{ usage: own, summary }]), ...(await commandsOf(path))];
    }),
  );
  return found.flat();
}

async function helpOf(words: readonly string[]): Promise<string> {
  return (await runCommand([...words, '--help'])).out;
}
