/**
 * Sessions as data: what is typed at which prompt, and what is answered, as on a screen (models/nxos.session). A device that replays
 * one understands these lines at these prompts, and nothing else; what it shows as its configuration stays as it is.
 *
 * A prompt alone ends a session; what follows, up to the next prompt, is a comment. `{host}` and other names of `Switch.value` are
 * filled in.
 */
import { readFileSync } from 'node:fs';
import type { Run, SwitchMode, SwitchModel } from './model.ts';

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
    const run: Run = (talk) => {
      const { session } = talk.terminal;
      if (saves.test(typed)) session.act(() => talk.device.save(session.user));
      talk.mode = names.get(next) ?? next;
      return talk.device.fill(said);
    };
    const name = names.get(prompt.trimEnd()) ?? prompt.trimEnd();
    const mode: SwitchMode = modes.get(name) ?? { prompt, commands: {} };
    const commands = { ...mode.commands, [model.rewrite?.(typed) ?? typed]: run };
    modes.set(name, { ...mode, commands });
  }
  return { ...model, modes: Object.fromEntries(modes) };
}
