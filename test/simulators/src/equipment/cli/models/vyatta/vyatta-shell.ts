/**
 * What Vyatta's descendants add to the shell: operational commands (`show`, `terminal`), and `configure` with its own ones.
 *
 * Rejections and the dialogue of `exit` are from Vyatta's interpreters (vyatta-op-run, vyatta-cfg-run), prompts from sessions of
 * users. `show configuration` hides secrets; `show configuration commands` and `cli-shell-api` do not.
 */

import type { Call, Output, Program } from '../../unix/box.ts';
import { parseShell, ShellSyntaxError } from '../../unix/shell-syntax.ts';
import type { VyattaConfiguration } from './vyatta-configuration.ts';
import { vyattaCommands } from './vyatta-tree.ts';

export interface VyattaShell {
  configuration: VyattaConfiguration;
  /** `ubnt@ubnt`. */
  who(): string;
  /** Escape codes. */
  beforePrompt: string;
  /** Operational commands of the model; the rest is common. */
  show: Readonly<Record<string, () => string>>;
  /** How a value is written in a `set` command. */
  quote: (value: string) => string;
}

const changing = ['set', 'delete', 'discard', 'commit', 'save', 'load'];
const secrets =
  /^(\s*(?:encrypted-password|plaintext-password|password|pre-shared-secret|secret|private-key)) .*$/gm;

/** Found in the path of everybody, also without a terminal. */
export function vyattaPrograms(shell: VyattaShell): Readonly<Record<string, Program>> {
  const { configuration } = shell;
  const api = (call: Call) => shellApi(call, shell);
  return {
    '/opt/vyatta/sbin/vyatta-cfg-cmd-wrapper': (call) => configuration.wrapper(call),
    '/opt/vyatta/bin/vyatta-op-cmd-wrapper': (call) => operational(call, shell),
    'cli-shell-api': api,
    '/bin/cli-shell-api': api,
    '/opt/vyatta/sbin/my_cli_shell_api': api,
  };
}

/** What somebody at a terminal has in addition. */
export function vyattaFunctions(shell: VyattaShell): Readonly<Record<string, Program>> {
  const whole: Program = ({ stdin = '' }) => ({ stdout: stdin });
  return {
    show: (call) => operational({ ...call, args: ['show', ...call.args] }, shell),
    terminal: () => ({}),
    set: ({ args }) => (args[0] === 'terminal' ? {} : invalidCommand(['set', ...args.slice(0, 1)])),
    configure: (call) => configure(call, shell),
    'no-more': whole,
    more: whole,
  };
}

/** Of an operational command whose last word does not fit. */
function invalidCommand(words: readonly string[]): Output {
  const marked = [...words.slice(0, -1), `[${words.at(-1) ?? ''}]`].join(' ');
  return { stdout: `\n  Invalid command: ${marked}\n\n`, status: 1 };
}

export function commandsOf({ configuration, quote }: VyattaShell): string {
  return vyattaCommands(configuration.tree, quote);
}

function operational({ args, terminal }: Call, shell: VyattaShell): Output {
  const { configuration } = shell;
  const command = args.join(' ');
  const made = shell.show[command];
  if (made) return { stdout: made() };
  const shown = (text: string) => ({ stdout: terminal.session.configuration(text) });
  switch (command) {
    case 'show configuration':
      return shown(configuration.running().replace(secrets, '$1 ****************'));
    case 'show configuration all':
      return shown(configuration.running());
    case 'show configuration commands':
      return shown(commandsOf(shell));
    case 'show system commit':
      return { stdout: commitLog(configuration) };
    default:
      return invalidCommand(args);
  }
}

function commitLog({ commits }: VyattaConfiguration): string {
  return commits
    .map(({ at, user }, i) => {
      const time = new Date(at).toISOString().slice(0, 19).replace('T', ' ');
      return `${String(i).padEnd(2)}  ${time} by ${user} via cli\n`;
    })
    .join('');
}

/** cli-shell-api: a value is printed without a newline. */
function shellApi({ args, terminal }: Call, shell: VyattaShell): Output {
  const { configuration } = shell;
  const [verb, ...rest] = args;
  const path = rest.filter((arg) => !arg.startsWith('--'));
  if (verb === 'returnActiveValue') {
    const value = configuration.value(...path);
    return value === undefined ? { status: 1 } : { stdout: value };
  }
  if (verb !== 'showConfig' && verb !== 'showCfg') return { status: 1 };
  const text = rest.includes('--show-commands') ? commandsOf(shell) : configuration.running();
  const isHidden = rest.includes('--show-hide-secrets');
  const shown = isHidden ? text.replace(secrets, '$1 ****************') : text;
  return { stdout: terminal.session.configuration(shown) };
}

/** Commands of a line, as words, without their quotes. */
function commandsIn(line: string): string[][] {
  try {
    return parseShell(line).map(({ pipeline: [node] }) => {
      if (node?.kind !== 'command') return [];
      return node.words.map((word) =>
        word.map((piece) => (piece.kind === 'text' ? piece.text : `$${piece.name}`)).join(''),
      );
    });
  } catch (error) {
    if (error instanceof ShellSyntaxError) return [];
    throw error;
  }
}

async function configure(call: Call, shell: VyattaShell): Promise<Output> {
  const { terminal } = call;
  const { configuration } = shell;
  const id = `configure ${call.parent}`;
  const env = { CMD_WRAPPER_SESSION_ID: id };
  const tell = (...args: string[]) => configuration.wrapper({ ...call, args, env });
  const question = `[edit]\n${shell.beforePrompt}${shell.who()}# `;
  await tell('begin');
  for (;;) {
    const line = (await terminal.readLine(question)).trim();
    terminal.session.log(
      line.replace(/\b(\w*password|\w*secret|key|community) \S+$/, '$1 <secret>'),
    );
    for (const [verb = '', ...args] of commandsIn(line)) {
      if (verb !== 'exit') await terminal.answer((await within(verb, args)).stdout ?? '');
      else if (configuration.isUncommitted(id) && args[0] !== 'discard') {
        terminal.put(
          "Cannot exit: configuration modified.\nUse 'exit discard' to discard the changes and exit.\n",
        );
      } else {
        await tell('end');
        const warning = 'Warning: configuration changes have not been saved.\n';
        return { stdout: `${configuration.isUnsaved() ? warning : ''}exit\n` };
      }
    }
  }

  async function within(verb: string, args: string[]): Promise<Output> {
    if (changing.includes(verb)) return await tell(verb, ...args);
    switch (verb) {
      case 'run':
        return operational({ ...call, args }, shell);
      case 'compare':
        return { stdout: configuration.compare(id) };
      case 'show': {
        const { stdout = '' } = await tell('show');
        return { stdout: terminal.session.configuration(stdout) };
      }
      case 'commit-confirm':
        return await configuration.commitConfirm(id, Number(args[0] ?? 10), terminal);
      case 'confirm':
        terminal.session.acted = true;
        return configuration.confirmed();
      default:
        return invalidCommand([verb]);
    }
  }
}
