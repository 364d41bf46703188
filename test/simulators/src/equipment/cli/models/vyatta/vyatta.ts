/**
 * A device with Vyatta's configuration system, on the network: what EdgeOS and VyOS have in common.
 * No recording: its state matters, because configuration sessions change, commit, save and undo.
 */

import { OutletBoard } from '../../../device.ts';
import type { Plugged } from '../../../wiring.ts';
import type { ConfiguredDevice } from '../../core.ts';
import type { CliOptions } from '../../model.ts';
import { encodeText } from '../../text-bytes.ts';
import { linuxFiles, linuxPrograms } from '../../unix/linux-tables.ts';
import { startUnix, type UnixDeviceModel } from '../../unix/model.ts';
import { memoryFiles } from '../../unix/shell-files.ts';
import { VyattaConfiguration, type VyattaHooks, type VyattaWords } from './vyatta-configuration.ts';
import { commandsOf, type VyattaShell, vyattaFunctions, vyattaPrograms } from './vyatta-shell.ts';

export interface VyattaDevice extends ConfiguredDevice {
  /** What is active, as `set` commands. */
  commands(): Buffer;
  /** Whether a commit is waiting to be confirmed. */
  isConfirmPending(): boolean;
}

interface VyattaKind {
  name: string;
  ident: string;
  motd: string;
  user: string;
  board?: OutletBoard;
  /** What is saved when it starts, with its versions. */
  text: string;
  /** Behind a text of a test that has none. */
  versions: string;
  words: VyattaWords;
  hooks?: Pick<VyattaHooks, 'checkSet' | 'checkCommit' | 'changed'>;
  /** Escape codes. */
  beforePrompt?: string;
  quote: VyattaShell['quote'];
  show(configuration: VyattaConfiguration, plugged: Plugged): VyattaShell['show'];
}

export async function startVyatta(
  options: CliOptions & { configuration?: string },
  kind: VyattaKind,
): Promise<VyattaDevice> {
  const { name, ident, board = new OutletBoard([]), beforePrompt = '' } = kind;
  const given = options.configuration ?? kind.text;
  const text = /config-version/.test(given) ? given : `${given}${kind.versions}`;
  const model: UnixDeviceModel<Pick<VyattaDevice, 'commands' | 'isConfirmPending'>> = {
    name,
    ident,
    board,
    signIn: ['publickey', 'password', 'keyboard-interactive'],
    busyInside: true,
    configurationWords: { error: '\n  Invalid command: [show]\n\n' },
    make(core, reboot) {
      const configuration = new VyattaConfiguration(core, text, kind.words, {
        ...kind.hooks,
        readFile: (path) => files.read(path),
        reboot,
      });
      const files = memoryFiles({
        folders: ['/tmp', '/config', '/home'],
        files: {
          '/config/config.boot': {
            read: () => configuration.boot(),
            write: (text) => configuration.writeBoot(text),
          },
          '/proc/net/arp': linuxFiles(core.plugged).arp,
        },
        configuration: ['/config/config.boot'],
      });
      const host = () => configuration.value('system', 'host-name') ?? kind.user;
      const shell: VyattaShell = {
        configuration,
        who: () => `${kind.user}@${host()}`,
        beforePrompt,
        show: kind.show(configuration, core.plugged),
        quote: kind.quote,
      };
      return {
        box: {
          motd: kind.motd,
          get prompt() {
            return `${beforePrompt}${shell.who()}:~$ `;
          },
          programs: { ...vyattaPrograms(shell), ...linuxPrograms(core.plugged) },
          functions: vyattaFunctions(shell),
          files,
        },
        powerUp: () => configuration.powerUp(),
        running: () => configuration.running(),
        startup: () => configuration.boot(),
        more: {
          commands: () => encodeText(commandsOf(shell)),
          isConfirmPending: () => configuration.isConfirmPending,
        },
      };
    },
  };
  return await startUnix(model, options);
}
