/** Access to vtysh: as the account's shell, as a program on a host with a shell, or only as a command line in a terminal. */

import { type DeviceConnection, DeviceRejected } from '@skolo/equipment/transports';
import { withoutSecrets } from '../configuration/mask.ts';
import { inCommands } from '../families/command-line/long-commands.ts';
import { type Change, typed } from './changes.ts';
import { frr } from './dialect.ts';

export interface Vtysh {
  /** The `show running-config` from which this was detected. */
  text: Buffer;
  /** Runs a script for tasks that vtysh cannot do; absent: there is no shell. Returns its output and errors. */
  shell?(script: string, input?: Buffer): Promise<string>;
  /** @throws DeviceError */
  running(): Promise<Buffer>;
  /** The answer to `show watchfrr`; empty, or a message, where it does not run. @throws DeviceError */
  watched(): Promise<string>;
  /**
   * Makes changes at `configure terminal`. Except in a terminal, all lines are transferred before the first is executed, so that a session
   * that dies leaves nothing half done. If a line is rejected, those after it may not have been typed.
   *
   * @returns FRR's messages, without secrets; empty if it accepted everything
   * @throws DeviceError
   */
  configure(changes: readonly Change[]): Promise<string>;
  /** @returns the answer to `write memory` */
  save(): Promise<string>;
}

const show = 'show running-config';
const watch = 'show watchfrr';
/** In bytes: more than it says about all daemons, because masking more takes long. */
const longestWatched = 8192;
const none = Buffer.alloc(0);
const notFound = 127;
/** vtysh's exit status if it rejects something. */
const rejection = Array.from({ length: 20 }, (_, index) => index + 1);

/** @throws DeviceError */
export async function openVtysh(connection: DeviceConnection): Promise<Vtysh> {
  let text: Buffer;
  try {
    text = await connection.exec(show, { input: none, accept: [notFound] });
  } catch (error) {
    if (!(error instanceof DeviceRejected)) throw error;
    return await inTerminal(connection);
  }
  if (text.length === 0) return await inShell(connection);
  // It opened the command line instead of running the command.
  if (isPrompt(text)) return await inTerminal(connection);
  return asShell(connection, text);
}

/** `Hello, this is FRRouting (version 8.4.4).` and a prompt. */
function isPrompt(text: Buffer): boolean {
  return frr.prompt.test(text.toString('latin1').trimEnd().split(/\r?\n/).at(-1) ?? '');
}

/** The account's shell is vtysh, which receives the whole multi-line command. */
function asShell(connection: DeviceConnection, text: Buffer): Vtysh {
  const say = async (lines: readonly string[], most?: number) => {
    const said = await connection.exec(lines.join('\n'), { input: none, accept: rejection });
    return withoutSecrets(said.toString('utf8', 0, most)).trim();
  };
  return {
    text,
    running: () => connection.exec(show, { input: none }),
    watched: () => say([watch], longestWatched),
    async configure(changes) {
      const said: string[] = [];
      const textOf = ({ path, line }: Change) => [...path, line].join('\n');
      for (const part of inCommands(changes, textOf)) {
        said.push(await say(['configure terminal', ...typed(part)]));
      }
      return said.join('\n').trim();
    },
    save: () => say(['write memory']),
  };
}

/** vtysh is a program on a host: it reads lines from a file, and continues after a rejected one. */
async function inShell(connection: DeviceConnection): Promise<Vtysh> {
  const running = () => connection.exec(`vtysh -c '${show}'`, { input: none });
  const shell = async (script: string, input = none) => {
    const said = await connection.exec(`exec 2>&1; ${script}`, { input, accept: rejection });
    return said.toString();
  };
  // Output goes to a file first, so that a session that dies does not stop it.
  const configure = `umask 077; f=$(mktemp) || exit; trap '' HUP PIPE; cat > "$f"
vtysh -f "$f" > "$f.said"; cat "$f.said"; rm -f "$f" "$f.said" "$f.lock"`;
  return {
    text: await running(),
    shell,
    running,
    watched: () => shell(`vtysh -c '${watch}'`),
    async configure(changes) {
      const said = await shell(configure, Buffer.from(`${typed(changes).join('\n')}\n`));
      return withoutSecrets(said).trim();
    },
    save: async () => withoutSecrets(await shell(`vtysh -c 'write memory'`)).trim(),
  };
}

/** Line by line: slower, and a session that dies leaves the lines typed so far. Stops at a rejected line. */
async function inTerminal(connection: DeviceConnection): Promise<Vtysh> {
  const type = async (line: string, most?: number) => {
    const cli = await connection.cli(frr);
    try {
      return withoutSecrets((await cli.run(line)).toString('utf8', 0, most)).trim();
    } catch (error) {
      if (error instanceof Error) error.message = withoutSecrets(error.message);
      throw error;
    }
  };
  const typeAll = async (lines: readonly string[], said: string[]) => {
    try {
      for (const line of lines) said.push(await type(line));
    } catch (error) {
      if (!(error instanceof DeviceRejected)) throw error;
      said.push(error.message);
    }
  };
  const running = async () => (await connection.cli(frr)).read(show);
  return {
    text: await running(),
    running,
    watched: () => type(watch, longestWatched),
    async configure(changes) {
      const said: string[] = [];
      await typeAll(['configure terminal', ...typed(changes)], said);
      await typeAll(['end'], []);
      return said.filter((text) => text !== '').join('\n');
    },
    async save() {
      const said: string[] = [];
      await typeAll(['write memory'], said);
      return said.join('\n');
    },
  };
}
