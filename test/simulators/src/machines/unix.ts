/**
 * What ssh leads to on a machine: a shell with the programs that others run there.
 *
 * What they say is what Debian 12 says (sudo 1.9.13, systemd 252).
 */
import type { Call, Output, Program, UnixBox } from '../equipment/cli/unix/box.ts';
import type { OutletBoard } from '../equipment/device.ts';
import { uhubctl } from './uhubctl.ts';
import type { Phone, UsbHub } from './usb.ts';

interface UnixSide {
  machine: string;
  bootId: () => string;
  /** In addition to those that it has, or replacing them. */
  programs: ReadonlyMap<string, Program>;
  /** The hub does what it is told. */
  obeys: () => boolean;
  hubs: readonly UsbHub[];
  board: OutletBoard;
  phones: readonly Phone[];
  reboot: () => void;
}

/** Set by sudo for what it runs. */
const rootMark = 'SUDO_UID';

export function machineBox(side: UnixSide): UnixBox {
  const { machine, bootId } = side;
  const files = new Map([
    ['/proc/sys/kernel/random/boot_id', () => `${bootId()}\n`],
    ['/etc/hostname', () => `${machine}\n`],
  ]);

  function reboot({ env }: Call): Output {
    if (!(rootMark in env)) {
      return { stderr: 'Call to Reboot failed: Interactive authentication required.\n', status: 1 };
    }
    side.reboot();
    return {};
  }

  const programs: Record<string, Program> = {
    hostname: () => ({ stdout: `${machine}\n` }),
    reboot,
    systemctl: (call) =>
      call.args[0] === 'reboot'
        ? reboot(call)
        : { stderr: `Unknown command verb ${call.args[0]}.\n`, status: 1 },
    uhubctl: ({ args, env }) =>
      uhubctl(args, { ...side, isRoot: rootMark in env, obeys: side.obeys() }),
  };
  for (const path of ['/sbin/', '/usr/sbin/', '/bin/', '/usr/bin/']) {
    for (const [name, program] of Object.entries({ ...programs })) {
      if (!name.startsWith('/')) programs[`${path}${name}`] = program;
    }
  }

  function sudo(call: Call): Output | Promise<Output> {
    const args = call.args.filter((arg) => arg !== '-n');
    const [name = '', ...rest] = args;
    const program = programs[name];
    if (!program) return { stderr: `sudo: ${name}: command not found\n`, status: 1 };
    return program({ ...call, args: rest, env: { ...call.env, [rootMark]: '1000' } });
  }

  return {
    motd: `Linux ${machine} 6.1.21-v8+ aarch64\n`,
    prompt: `pi@${machine}:~ $ `,
    get programs() {
      return { ...programs, sudo, ...Object.fromEntries(side.programs) };
    },
    files: {
      list: () => [...files.keys()],
      read: (path) => files.get(path)?.(),
      write: () => false,
    },
  };
}
