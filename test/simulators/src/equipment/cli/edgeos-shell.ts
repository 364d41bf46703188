/**
 * What EdgeOS adds to the shell of those who sit at a terminal: operational commands (`show`, `terminal`), and `configure`.
 *
 * Refusals and the dialogue of `exit` are from Vyatta's interpreters (vyatta-op-run, vyatta-cfg-run), prompts from sessions of
 * users. `set terminal length` came to Vyatta's descendants later; EdgeOS has `terminal length`.
 */
import type { EdgeosConfiguration } from './edgeos-configuration.ts';
import type { Call, Output, Program } from './shell.ts';

const verbs = ['set', 'delete', 'discard', 'commit', 'save'];

/** @param show operational commands, whether typed or given to their wrapper */
export function edgeosFunctions(
  configuration: EdgeosConfiguration,
  show: Program,
): Readonly<Record<string, Program>> {
  return {
    show: (call) => show({ ...call, args: ['show', ...call.args] }),
    terminal: () => ({}),
    set: ({ args }) => invalidCommand(['set', ...args.slice(0, 1)]),
    configure: (call) => configure(call, configuration, show),
  };
}

/** Of an operational command whose last word does not fit. */
export function invalidCommand(words: readonly string[]): Output {
  const marked = [...words.slice(0, -1), `[${words.at(-1) ?? ''}]`].join(' ');
  return { stdout: `\n  Invalid command: ${marked}\n\n`, status: 1 };
}

async function configure(
  call: Call,
  configuration: EdgeosConfiguration,
  show: Program,
): Promise<Output> {
  const { terminal } = call;
  const env = { CMD_WRAPPER_SESSION_ID: `configure ${call.parent}` };
  const tell = (...args: string[]) => configuration.wrapper({ ...call, args, env });
  tell('begin');
  for (;;) {
    const line = (await terminal.readLine('[edit]\nubnt@ubnt# ')).trim();
    if (line === '') continue;
    terminal.session.tell(line);
    const [verb = '', ...args] = line.split(/\s+/);
    if (verb === 'exit') {
      if (configuration.isUncommitted(env.CMD_WRAPPER_SESSION_ID) && args[0] !== 'discard') {
        terminal.put(
          "Cannot exit: configuration modified.\nUse 'exit discard' to discard the changes and exit.\n",
        );
        continue;
      }
      tell('end');
      const warning = 'Warning: configuration changes have not been saved.\n';
      return { stdout: `${configuration.isUnsaved() ? warning : ''}exit\n` };
    }
    const { stdout = '' } = verbs.includes(verb)
      ? tell(verb, ...args)
      : verb === 'run'
        ? await show({ ...call, args })
        : invalidCommand([verb]);
    await terminal.answer(stdout);
  }
}
