import { readFileSync } from 'node:fs';
import { models } from '@skolo/equipment/models';

/** An erroneous rack.yaml, and all that is said about it. */
interface BadExample {
  name: string;
  yaml: string;
  messages: string;
}

const archive = readFileSync(new URL('../../testdata/bad.txtar', import.meta.url), 'utf8');

/** The cases of testdata/bad.txtar, each with its messages. `{models}` in them are the names of all models. */
export const badExamples: readonly BadExample[] = readExamples();

function readExamples(): BadExample[] {
  const [, ...parts] = archive.split(/^-- (.+) --\n/m);
  const files = new Map<string, string>();
  for (let i = 0; i < parts.length; i += 2) {
    const [name = '', text = ''] = parts.slice(i, i + 2);
    if (files.has(name)) throw new Error(`bad.txtar: ${name} is there twice`);
    files.set(name, text);
  }
  const names = [...files.keys()].filter((name) => name.endsWith('.yaml'));
  const examples = names.map((file) => {
    const name = file.slice(0, -'.yaml'.length);
    const messages = files.get(`${name}.txt`);
    if (!messages) throw new Error(`bad.txtar: ${name}.txt is missing; add the messages`);
    const text = messages.replace('{models}', [...models.keys()].join(', '));
    return { name, yaml: files.get(file) ?? '', messages: text };
  });
  if (files.size === 2 * examples.length) return examples;
  throw new Error('bad.txtar: a section is neither NAME.yaml nor its NAME.txt');
}
