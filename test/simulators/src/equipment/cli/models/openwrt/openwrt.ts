/**
 * OpenWrt switch with realtek-poe: `ubus call poe info`, and `ubus call poe manage` to turn a port off and on.
 *
 * Fields, status words and codes are from realtek-poe's source (main.c: `ubus_poe_info_cb`, `ubus_poe_manage_cb`) and from
 * sessions of users. Its configuration turns every port on after a power failure. Versions before 2025 answer a `manage`
 * that was carried out with an error (status 12), and some hardware says `unknown` of every port (its issue 10).
 *
 * No recording: its state matters, because ports are switched, and its files are changed and put back.
 */
import { parseJson } from '@skolo/base';
import { z } from 'zod';
import { OutletBoard } from '../../../device.ts';
import type { ConfiguredDevice } from '../../core.ts';
import type { CliOptions } from '../../model.ts';
import type { Call, Output } from '../../unix/box.ts';
import { linuxFiles, linuxPrograms } from '../../unix/linux-tables.ts';
import { startUnix, type UnixDeviceModel } from '../../unix/model.ts';
import { joinedFiles, memoryFiles } from '../../unix/shell-files.ts';
import { OpenwrtFiles } from './openwrt-files.ts';

export interface OpenwrtOptions extends CliOptions {
  /** Ports with PoE, from lan1; 8 when absent. */
  ports?: number;
  /** What each plugged-in machine draws; 4.5 when absent. */
  watts?: number;
  /** Answers with an error to what it has done. */
  oldDaemon?: boolean;
  /** Knows nothing of any port's state. */
  statusUnknown?: boolean;
  /** Of who signs in; 0, root, when absent. */
  uid?: number;
}

/** Its configuration is files. */
export interface OpenwrtDevice extends ConfiguredDevice {
  /** All that an archive of it holds now, by name, `etc/config/network`. */
  contents(): Map<string, Buffer>;
  /** The archive that somebody restored last. */
  restored(): Buffer | undefined;
}

/** ubus_strerror() of some codes. */
const errors: Record<number, string> = {
  2: 'Invalid argument',
  3: 'Method not found',
  4: 'Not found',
  12: 'Parsing message data failed',
};

const Manage = z.object({ port: z.string(), enable: z.boolean() });

export async function startOpenwrt(options: OpenwrtOptions): Promise<OpenwrtDevice> {
  const { ports = 8, watts = 4.5 } = options;
  const names = Array.from({ length: ports }, (_, i) => `lan${i + 1}`);
  const board = new OutletBoard(names.map((name) => [name, { on: false, watts }]));
  const model: UnixDeviceModel<Pick<OpenwrtDevice, 'contents' | 'restored'>> = {
    name: 'openwrt',
    ident: 'dropbear',
    board,
    make(core) {
      const files = new OpenwrtFiles(core);
      const { arp, leases } = linuxFiles(core.plugged, () => 'br-lan');
      const tables = memoryFiles({
        folders: [],
        files: { '/proc/net/arp': arp, '/tmp/dhcp.leases': leases },
      });
      return {
        box: {
          motd: '\n\nBusyBox v1.36.1 (2025-02-03 23:09:37 UTC) built-in shell (ash)\n\n',
          prompt: 'root@OpenWrt:~# ',
          programs: {
            ubus: (call) => ubus(call, board, options),
            id: ({ args }) =>
              args.join(' ') === '-u' ? { stdout: `${options.uid ?? 0}\n` } : { status: 1 },
            ...linuxPrograms(core.plugged, 'br-lan'),
            ...files.programs(),
          },
          files: joinedFiles(files.asFiles(), tables),
        },
        powerUp() {
          for (const name of names) board.set(name, true);
        },
        running: () => files.packages(),
        startup: () => files.packages(),
        more: { contents: () => files.contents(), restored: () => files.restored },
      };
    },
  };
  return await startUnix(model, options);
}

function ubus({ args, terminal }: Call, board: OutletBoard, options: OpenwrtOptions): Output {
  const [verb, object, method, text = '{}'] = args;
  if (verb !== 'call') return failed(2);
  if (object !== 'poe') return failed(4);
  if (method === 'info') return { stdout: info(board, options) };
  if (method !== 'manage') return failed(3);
  const message = Manage.safeParse(parseJson(text)).data;
  if (!message || !board.has(message.port)) return failed(2);
  terminal.session.act(() => board.set(message.port, message.enable));
  return options.oldDaemon ? failed(12) : {};
}

function failed(status: number): Output {
  return { stderr: `Command failed: ${errors[status]}\n`, status };
}

/** As ubus prints it: indented by tabs, and numbers with a fraction have six digits. */
function info(board: OutletBoard, { statusUnknown }: OpenwrtOptions): string {
  const consumed = board.names().reduce((sum, port) => sum + board.watts(port), 0);
  const ports = board.names().map((port) => {
    const watts = statusUnknown ? 0 : board.watts(port);
    const fields = [
      '"priority": 0',
      ...(statusUnknown ? [] : ['"mode": "PoE+"']),
      `"status": "${statusUnknown ? 'unknown' : statusOf(board, port)}"`,
      ...(watts === 0 ? [] : [`"consumption": ${watts.toFixed(6)}`]),
    ];
    return `\t\t"${port}": {\n\t\t\t${fields.join(',\n\t\t\t')}\n\t\t}`;
  });
  return [
    '{',
    '\t"firmware": "v17.1",',
    '\t"mcu": "ST Micro ST32F100 Microcontroller",',
    '\t"budget": 65.000000,',
    `\t"consumption": ${(statusUnknown ? 0 : consumed).toFixed(6)},`,
    '\t"ports": {',
    ports.join(',\n'),
    '\t}',
    '}',
    '',
  ].join('\n');
}

function statusOf(board: OutletBoard, port: string): string {
  if (!board.isOn(port)) return 'Disabled';
  if (board.isFaulty(port)) return 'Fault';
  return board.watts(port) === 0 ? 'Searching' : 'Delivering power';
}
