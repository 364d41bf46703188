/**
 * Ubiquiti mPower strip: a BusyBox shell behind an ssh server of about 2011, and a file for each relay.
 *
 * Files and their numbers are as in sessions and scripts of users (firmware MF.v2.1.11). After a power failure every
 * outlet is on, unless that was changed in its configuration, which is not simulated. That `reboot` does the same is made up.
 *
 * No recording: its state matters, because relays are switched, and its files are changed and put back.
 */
import { OutletBoard } from '../../device.ts';
import type { ConfiguredDevice } from '../core.ts';
import type { CliOptions } from '../model.ts';
import type { Output, UnixBox } from '../unix/box.ts';
import { startUnix, type UnixDeviceModel } from '../unix/model.ts';
import { joinedFiles, memoryFiles } from '../unix/shell-files.ts';
import { SystemCfg } from './system-cfg.ts';

export interface MpowerOptions extends CliOptions {
  /** 1, 3, 6 or 8; 8 when absent. */
  outlets?: number;
  /** What each plugged-in machine draws; 40 when absent. */
  watts?: number;
  /** `/tmp/system.cfg` when it starts; a small one when absent. */
  configuration?: string;
  /** Its MAC address; `24A43CDEF012` when absent. */
  serial?: string;
  /** Whether its BusyBox has `md5sum`; it does when absent. */
  checksums?: boolean;
}

const usual = `users.status=enabled
users.1.status=enabled
users.1.name=ubnt
users.1.password=hiddenHash0Vw
wireless.1.ssid=lab
aaa.1.wpa.psk=hiddenPsk
resolv.host.1.name=mpower-1
resolv.host.1.status=enabled
sshd.status=enabled
sshd.port=22
`;

const VOLTS = 122.129747152;

export async function startMpower(options: MpowerOptions): Promise<ConfiguredDevice> {
  const { outlets = 8, watts = 40, serial = '24A43CDEF012', checksums = true } = options;
  const names = Array.from({ length: outlets }, (_, i) => String(i + 1));
  const board = new OutletBoard(names.map((name) => [name, { on: false, watts }]));
  const model: UnixDeviceModel<object> = {
    name: 'mpower',
    ident: 'dropbear_0.51',
    board,
    make(core, reboot) {
      const systemCfg = new SystemCfg(core, options.configuration ?? usual);
      const files = memoryFiles({
        files: {
          '/tmp/system.cfg': systemCfg.made(),
          '/etc/board.info': `board.name=mPower Pro\nboard.shortname=P8U\nboard.hwaddr=${serial}\n`,
        },
        configuration: ['/tmp/system.cfg'],
      });
      return {
        box: {
          motd: `\n\nBusyBox v1.11.2 (2013-11-11 20:08:57 PST) built-in shell (ash)\nEnter 'help' for a list of built-in commands.\n\n`,
          prompt: 'MF.v2.1.11# ',
          programs: {
            cfgmtd: systemCfg.cfgmtd,
            reboot: () => {
              reboot();
              return {};
            },
            ...(!checksums && { md5sum: missing }),
          },
          files: joinedFiles(procPower(board), files),
        },
        powerUp() {
          systemCfg.powerUp();
          for (const name of names) board.set(name, true);
        },
        running: () => systemCfg.running(),
        startup: () => systemCfg.startup(),
        more: {},
      };
    },
  };
  return await startUnix(model, { legacyOnly: true, ...options });
}

function missing(): Output {
  return { stderr: '-sh: md5sum: not found\n', status: 127 };
}

/** `/proc/power`, where writing to `relayN` switches outlet N. */
function procPower(board: OutletBoard): UnixBox['files'] {
  const values: Record<string, (outlet: string) => string> = {
    active_pwr: (outlet) => measured(board.watts(outlet)),
    enabled: () => '1',
    energy_sum: () => '1.5625',
    i_rms: (outlet) => measured(board.watts(outlet) / VOLTS),
    lock: () => '0',
    pf: (outlet) => measured(board.watts(outlet) === 0 ? 0 : 0.98),
    relay: (outlet) => (board.isOn(outlet) ? '1' : '0'),
    v_rms: () => measured(VOLTS),
  };
  const split = (path: string) => {
    const [, kind = '', outlet = ''] = /^\/proc\/power\/([a-z_]+)(\d+)$/.exec(path) ?? [];
    return { value: board.has(outlet) ? values[kind] : undefined, kind, outlet };
  };
  return {
    list: () =>
      Object.keys(values).flatMap((kind) =>
        board.names().map((outlet) => `/proc/power/${kind}${outlet}`),
      ),
    read: (path) => {
      const { value, outlet } = split(path);
      return value && `${value(outlet)}\n`;
    },
    write: (path, text, { session }) => {
      const { value, kind, outlet } = split(path);
      if (!value) return false;
      const state = text.trim();
      if (kind === 'relay' && /^[01]$/.test(state)) {
        session.act(() => board.set(outlet, state === '1'));
      }
      return true;
    },
  };
}

function measured(value: number): string {
  return value === 0 ? '0.0' : value.toFixed(9);
}
