/** The README lists the program's commands. `npx vitest run src/readme.test.ts -t 'lists every' -u` writes the list. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runCommand } from './testing/run-command.ts';

const readme = fileURLToPath(new URL('../README.md', import.meta.url));

interface Listed {
  usage: string;
  summary: string;
}

it('lists every command', async () => {
  const page = await readFile(readme, 'utf8');
  const commands = await commandsOf([]);
  const width = Math.max(...commands.map(({ usage }) => usage.length));
  const lines = commands.map(({ usage, summary }) => `${usage.padEnd(width)}  ${summary}`);
  const list = `<!-- generated: commands -->\n\n\`\`\`\n${lines.join('\n')}\n\`\`\`\n\n<!-- /generated -->`;

  expect(commands.length).toBeGreaterThan(80);
  await expect(
    page.replace(/<!-- generated: commands -->.*?<!-- \/generated -->/s, () => list),
  ).toMatchFileSnapshot(readme);
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
