/**
 * Ubiquiti UniFi switch: ssh leads to a BusyBox shell with `swctrl`; on older models `telnet 127.0.0.1` in that shell leads
 * to Fastpath's command line, without sign-in.
 *
 * `swctrl poe show` and the warning of the inner telnet are as in sessions that users recorded (USW-Lite-16, USW-Flex,
 * US-24). Without `id`, a command means every port. What it says of a wrong id is made up. What was not set by the
 * controller is gone after a restart: it has it apply `/tmp/system.cfg`, which is kept with `cfgmtd`. Keys of that file, of
 * `/etc/persistent/cfg/mgmt` and of `/etc/board.info` are as users show them; which the firmware knows beside is made up.
 *
 * No recording: its state matters, because ports are switched, and its files are changed and lost in a restart.
 */
import { type ConfiguredDevice, type Core, cliFaults } from '../../core.ts';
import type { CliOptions } from '../../model.ts';
import { boardOf, Switch } from '../../switch/switch.ts';
import { talkTo } from '../../switch/talk.ts';
import { HungUp, type Line, Terminal } from '../../terminal.ts';
import type { Call, Output, UnixBox } from '../../unix/box.ts';
import { startUnix, type UnixDevice } from '../../unix/model.ts';
import { memoryFiles } from '../../unix/shell-files.ts';
import { sha256sum } from '../../unix/shell-programs.ts';
import { hostTables } from '../host-tables.ts';
import { SystemCfg } from '../system-cfg.ts';
import { fastpath } from './fastpath.ts';
import { measure } from './fastpath-poe.ts';

export interface UnifiSwitchOptions extends CliOptions {
  /** Ports with PoE; 16 when absent. */
  ports?: number;
  /** The name in the prompt; `USW-Lite-16` when absent. */
  name?: string;
  /** Whether it is an older model, with Fastpath behind `telnet 127.0.0.1`. */
  fastpath?: boolean;
  /** Whether its shell has `swctrl`; true when absent. */
  swctrl?: boolean;
  /** What each plugged-in machine draws; 4.5 when absent. */
  watts?: number;
  /** `/tmp/system.cfg` when it starts; a small one when absent. */
  configuration?: string;
  /** `/etc/persistent/cfg/mgmt`. */
  mgmt?: string;
  /** Its MAC address, which is its serial number; `788a20de9abc` when absent. */
  serial?: string;
}

const usual = `# users
users.status=enabled
users.1.name=ubnt
users.1.password=$1$hiddenSalt$hiddenHashOfTheUser00
users.1.status=enabled
# switch
switch.status=enabled
switch.managementvlan=1
switch.vlan.1.id=1
switch.vlan.1.mode=untagged
switch.vlan.2.id=10
switch.vlan.2.name=phones
switch.port.1.name=to skia-rpi2
switch.port.1.pvid=10
switch.snmp.community=hiddenCommunity
# resolv
resolv.status=enabled
resolv.host.1.name=unifi-1
`;

const usualMgmt = `mgmt.is_default=false
mgmt.cfgversion=3f9a2c1d4e5f6071
mgmt.authkey=hiddenAuthkey00hiddenAuthkey0000
mgmt.servers.1.url=http://192.168.1.5:8080/inform
mgmt.led_enabled=true
`;

const modes: Readonly<Record<string, string>> = {
  auto: 'Auto',
  passive24v: 'Pasv24',
  shutdown: 'Off',
};

/** How long `swctrl poe restart` keeps a port off. */
const RESTART_SECONDS = 5;

export async function startUnifiSwitch(options: UnifiSwitchOptions): Promise<ConfiguredDevice> {
  const {
    ports: count = 16,
    name = 'USW-Lite-16',
    fastpath: hasFastpath = false,
    swctrl: hasSwctrl = true,
    watts = 4.5,
  } = options;
  const { serial = '788a20de9abc', mgmt = usualMgmt } = options;
  const ports = Array.from({ length: count }, (_, i) => `0/${i + 1}`);
  const model = fastpath({ ports, watts, hostName: 'UBNT' });
  function make(core: Core): UnixDevice<object> {
    const inside = new Switch(model, core, { username: options.username, serial: '' });
    const systemCfg = new SystemCfg(core, options.configuration ?? usual);
    const box: UnixBox = {
      motd: `\n\nBusyBox v1.25.1 () built-in shell (ash)\n\n`,
      prompt: `${name}-US.6.2.5# `,
      programs: {
        cfgmtd: systemCfg.cfgmtd,
        sha256sum,
        'syswrapper.sh': () => ({}),
        ...(hasSwctrl && { swctrl: (call: Call) => swctrl(call, inside) }),
        ...(hasFastpath && { telnet: (call: Call) => telnet(call, inside) }),
      },
      files: memoryFiles({
        folders: ['/tmp', '/etc/persistent'],
        files: {
          '/tmp/system.cfg': systemCfg.made(),
          '/etc/persistent/cfg/mgmt': mgmt,
          '/etc/board.info': `board.name=USW-Lite-16-PoE\nboard.shortname=USL16P\nboard.hwaddr=${serial.toUpperCase()}\nboard.serialno=${serial}\n`,
        },
        configuration: ['/tmp/system.cfg', '/etc/persistent/cfg/mgmt'],
      }),
    };
    function powerUp() {
      systemCfg.powerUp();
      inside.boot();
    }
    const running = () => systemCfg.running();
    return { box, powerUp, running, startup: () => systemCfg.startup(), more: {} };
  }
  const board = boardOf(model.power);
  const about = { name: 'unifi-switch', ident: 'dropbear_2017.75', faults: cliFaults };
  return await startUnix({ ...about, board, make }, options);
}

function swctrl({ args, terminal: { session } }: Call, device: Switch): Output {
  const [area, verb, ...rest] = args;
  const table = hostTables('swctrl', device.core.plugged).get(args.join(' '));
  if (table) return { stdout: table() };
  const mode = verb === 'set' ? rest.shift() : undefined;
  const [id, list, ...extra] = rest;
  const ports =
    id === undefined ? [...device.power.ports] : portsOf(device, id === 'id' ? list : undefined);
  if (area !== 'poe' || extra.length > 0) return usage;
  if (ports === undefined) return { stdout: 'Invalid port id\n', status: 1 };
  if (verb === 'show') return { stdout: show(device, ports) };
  if (verb === 'restart') {
    device.resetPower(session, ports, RESTART_SECONDS);
    return {};
  }
  if (verb !== 'set' || (mode !== 'auto' && mode !== 'off')) return usage;
  device.setPower(session, ports, mode === 'off' ? 'shutdown' : 'auto');
  return {};
}

const usage: Output = {
  stdout: 'Usage: swctrl poe show|set|restart [auto|off] [id <port list>]\n',
  status: 1,
};

/** `3`, `1-8`, `1,3`. */
function portsOf(device: Switch, list = ''): string[] | undefined {
  const ports: string[] = [];
  for (const range of list.split(',')) {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    const [from, to] = [
      device.power.ports.indexOf(`0/${first}`),
      device.power.ports.indexOf(`0/${last}`),
    ];
    if (from === -1 || to < from) return undefined;
    ports.push(...device.power.ports.slice(from, to + 1));
  }
  return ports;
}

function show(device: Switch, ports: readonly string[]): string {
  const rows = ports.map((port) => {
    const { detection, watts, volts, powerClass } = measure(device, port);
    const on = detection === 'Good';
    return [
      device.outlet(port).padStart(4),
      (modes[device.powerMode(port)] ?? '').padStart(6),
      'Dot3at'.padStart(12),
      '32000'.padStart(8),
      powerClass.replace(/^Class/, 'Class ').padEnd(7),
      (on ? 'On' : 'Off').padStart(6),
      (on ? 'Good' : 'Bad').padStart(7),
      watts.toFixed(2).padStart(8),
      volts.toFixed(2).padStart(10),
      (on ? (watts / volts) * 1000 : 0).toFixed(2).padStart(11),
    ].join('  ');
  });
  return [
    'Total Power Limit(mW): 45000',
    '',
    'Port  OpMode      HpMode    PwrLimit   Class   PoEPwr  PwrGood  Power(W)  Voltage(V)  Current(mA)',
    '                              (mW)                                                               ',
    '----  ------  ------------  --------  -------  ------  -------  --------  ----------  -----------',
    ...rows,
    '',
  ].join('\n');
}

const warning =
  '\nWarning!\nThe changes may break controller settings and only be effective until reboot.\n\n';

/** The telnet client of the shell: to a person, or in a pipe. */
async function telnet({ args, stdin, terminal }: Call, device: Switch): Promise<Output> {
  const [host = '', port = '23'] = args;
  if (!/^(localhost|127\.0\.0\.1)$/.test(host) || port !== '23') {
    return {
      stderr: `telnet: can't connect to remote host (${host}): Connection refused\n`,
      status: 1,
    };
  }
  if (stdin !== undefined) return { stdout: await pipe(stdin, terminal, device), status: 1 };
  const { interactive, newline } = terminal.screen;
  Object.assign(terminal.screen, { interactive: true, newline: '\r\n' });
  terminal.put(`\nEntering character mode\nEscape character is '^]'.\n\n${warning}`);
  await talkTo(device, terminal);
  terminal.pager = undefined;
  Object.assign(terminal.screen, { interactive, newline });
  return { stdout: 'Connection closed by foreign host\n', status: 1 };
}

async function pipe(stdin: string, outer: Terminal, device: Switch): Promise<string> {
  let output = '';
  const line: Line = {
    send: (data) => {
      output += data.toString('latin1');
    },
    hangUp: () => {},
    drop: () => outer.drop(),
  };
  const screen = { width: 0, overflow: 'wrap', interactive: true, newline: '\r\n' } as const;
  const inner = new Terminal(line, outer.session, screen);
  inner.put(warning);
  inner.receive(Buffer.from(stdin));
  inner.end();
  // The connection ends with the input, wherever the dialogue is then.
  await talkTo(device, inner).catch((error) => {
    if (!(error instanceof HungUp)) throw error;
  });
  return output;
}
