/**
 * Sessions as data: what is typed at which prompt, and what is answered, as on a screen (models/nxos.session). A device that replays
 * one understands these lines at these prompts, and nothing else; what it shows as its configuration stays as it is.
 *
 * A prompt alone ends a session; what follows, up to the next prompt, is a comment. `{host}` and other names of `Switch.value` are
 * filled in. What somebody types for `<password>` or `<enable>`, in a command or behind a question, opens the device from then on.
 */
import { readFileSync } from 'node:fs';
import type { Run, SwitchMode, SwitchModel, Talk } from './model.ts';

interface Exchange {
  prompt: string;
  typed: string;
  said: string;
  /** The prompt behind the answer. */
  next: string;
}

const promptLine = /^((?:\{user\}@)?\{host\}(?:\([^)]*\))?[>#] ?)(.*)$/;

/** @param name of a file in models/, without its extension */
export function sessionOf(name: string): Exchange[] {
  const exchanges: Exchange[] = [];
  let open: Exchange | undefined;
  const file = new URL(`../models/${name}.session`, import.meta.url);
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [, prompt, typed = ''] = promptLine.exec(line) ?? [];
    if (prompt !== undefined) {
      if (open) open.next = prompt.trimEnd();
      open = typed === '' ? undefined : { prompt, typed, said: '', next: '' };
      if (open) exchanges.push(open);
    } else if (open) open.said += `${line}\n`;
  }
  return exchanges;
}

/**
 * The model, which also answers what is in its session.
 *
 * @param saves commands that save what is active
 */
export function replaying(model: SwitchModel, saves: RegExp): SwitchModel {
  const modes = new Map(Object.entries(model.modes));
  const names = new Map(
    [...modes].map(([name, { prompt }]) => [prompt.split('\n').at(-1)?.trimEnd(), name]),
  );
  const exchanges = sessionOf(model.name);
  for (const { prompt, typed, said, next } of exchanges) {
    const run: Run = async (talk, words) => {
      const { session } = talk.terminal;
      const set = new Map(typed.split(' ').map((word, at) => [word, words[at] ?? '']));
      const answer = await answerOf(talk, said, set);
      session.act(() => {
        for (const name of ['password', 'enable'] as const) {
          const value = set.get(`<${name}>`);
          if (value === undefined) continue;
          talk.device.passwords[name] = value;
          talk.device.changed(session.user);
        }
        if (saves.test(typed)) talk.device.save(session.user);
      });
      talk.mode = names.get(next) ?? next;
      return answer;
    };
    const name = names.get(prompt.trimEnd()) ?? prompt.trimEnd();
    const mode: SwitchMode = modes.get(name) ?? { prompt, commands: {} };
    const commands = { ...mode.commands, [model.rewrite?.(typed) ?? typed]: run };
    modes.set(name, { ...mode, commands });
  }
  const logged = (line: string) =>
    exchanges.find(({ typed }) => typed.includes('<') && fits(typed, line))?.typed ?? line;
  return { ...model, modes: Object.fromEntries(modes), logged };
}

/** Asks the questions in what is said: `New password:<password>`. */
async function answerOf({ device, terminal }: Talk, said: string, set: Map<string, string>) {
  let answer = '';
  for (const line of said.split(/(?<=\n)/)) {
    const [, question, name] = /^(.*)(<\w+>)$/m.exec(line) ?? [];
    if (question === undefined || name === undefined) answer += line;
    else set.set(name, await terminal.readPassword(question, 'none'));
  }
  return device.fill(answer);
}

function fits(typed: string, line: string): boolean {
  const words = line.split(' ');
  return typed.split(' ').every((word, at) => word.startsWith('<') || word === words[at]);
}
