/**
 * The tools of libimobiledevice 1.3.0 that an agent needs: `idevice_id`, `ideviceinfo`, `idevicediagnostics`,
 * `idevicescreenshot`, `idevicesyslog`.
 *
 * Texts, streams and exit status are those of Debian's tools: of the real ones where no device is there, of their strings
 * and sources where one is.
 */
import { randomBytes } from 'node:crypto';
import { type IphoneOptions, SimulatedIphone } from './iphone.ts';
import { type FakeProgram, type ProgramAnswer, type Programs, startPrograms } from './programs.ts';

export interface IphoneTools extends Programs {
  /** By UDID, in the order in which they were plugged in. */
  readonly phones: ReadonlyMap<string, SimulatedIphone>;
  /** @throws RangeError There is none of that UDID; without one: there is not exactly one. */
  phone(udid?: string): SimulatedIphone;
  /** usbmuxd does not run: no tool sees anything. */
  isWithoutUsbmuxd: boolean;
}

const syslog = `[connected]
Nov 20 20:11:53 iPhone SpringBoard(FrontBoard)[58] <Notice>: Bootstrapping com.apple.Preferences
Nov 20 20:11:54 iPhone kernel(AppleSMC)[0] <Notice>: temperature 41 C
`;

export async function startIphoneTools(
  options: { phones?: readonly IphoneOptions[] } = {},
): Promise<IphoneTools> {
  const phones = new Map(
    (options.phones ?? []).map((phone) => [phone.udid, new SimulatedIphone(phone)]),
  );
  const seen = () =>
    tools.isWithoutUsbmuxd ? [] : [...phones.values()].filter((phone) => phone.isPresent());
  const programs = await startPrograms({
    idevice_id: (args) => ideviceId(args, tools.isWithoutUsbmuxd ? undefined : seen()),
    ideviceinfo: tool(seen, ideviceinfo),
    idevicediagnostics: tool(seen, idevicediagnostics),
    idevicescreenshot: tool(seen, idevicescreenshot),
    idevicesyslog: tool(seen, idevicesyslog),
  });
  const tools: IphoneTools = {
    ...programs,
    phones,
    isWithoutUsbmuxd: false,
    phone(udid) {
      const [first, ...others] = phones.values();
      const found = udid === undefined ? first : phones.get(udid);
      if (!found) throw new RangeError(`no phone ${udid ?? ''}`);
      if (udid === undefined && others.length > 0)
        throw new RangeError('which phone? give its UDID');
      return found;
    },
    async close() {
      for (const phone of phones.values()) phone.unplug();
      await programs.close();
    },
  };
  return tools;
}

/** What was asked for on the command line. */
interface Asked {
  udid: string | undefined;
  domain: string | undefined;
  key: string | undefined;
  words: string[];
}

interface Tool {
  name: string;
  about: string;
  /** Of an error of usage. */
  usageStatus: number;
  /** What it says where there is no such phone. */
  missing(udid: string | undefined): ProgramAnswer;
  /** What it says where the phone does not let it in. */
  rejected(why: Rejection): ProgramAnswer;
  answer(phone: SimulatedIphone, asked: Asked): ProgramAnswer;
  /** Undefined: it is as it must be. */
  wrong?(asked: Asked): ProgramAnswer | undefined;
}

interface Rejection {
  code: number;
  text: string;
}

const never = new Promise<ProgramAnswer>(() => {});

function tool(seen: () => SimulatedIphone[], of: Tool): FakeProgram {
  return (args) => {
    const asked = parse(args, of);
    if ('status' in asked) return asked;
    const wrong = of.wrong?.(asked);
    if (wrong) return wrong;
    // Of several, it takes the first.
    const phone = seen().find(({ udid }) => udid === (asked.udid ?? udid));
    if (!phone) return of.missing(asked.udid);
    const { faults } = phone;
    if (faults.has('hangs')) return never;
    const why = rejection(phone);
    if (why) return of.rejected(why);
    if (faults.has('empty-answers')) return {};
    if (faults.has('garbage')) return { stdout: randomBytes(700) };
    const answer = of.answer(phone, asked);
    if (!faults.has('hangs-mid-way')) return answer;
    const stdout = Buffer.from(answer.stdout ?? '');
    return { stdout: stdout.subarray(0, stdout.length >> 1), stays: true };
  };
}

/** As lockdownd_strerror() has them. */
function rejection({ faults }: SimulatedIphone): Rejection | undefined {
  if (faults.has('mux-error')) return { code: -8, text: 'Mux error' };
  if (faults.has('locked')) return { code: -17, text: 'Password protected' };
  if (faults.has('trust-denied')) return { code: -18, text: 'User denied pairing' };
  if (faults.has('not-trusted')) return { code: -19, text: 'Pairing dialog response pending' };
  return undefined;
}

const withValue: Record<string, 'udid' | 'domain' | 'key'> = {
  '-u': 'udid',
  '--udid': 'udid',
  '-q': 'domain',
  '--domain': 'domain',
  '-k': 'key',
  '--key': 'key',
};

function parse(args: readonly string[], of: Tool): Asked | (ProgramAnswer & { status: number }) {
  const asked: Asked = { udid: undefined, domain: undefined, key: undefined, words: [] };
  const knowsDomains = of.name === 'ideviceinfo';
  const usage = (complaint: string) => ({
    stderr: `${of.name}: ${complaint}\nUsage: ${of.name} [OPTIONS]\n\n${of.about}\n`,
    status: of.usageStatus,
  });
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const option = withValue[arg];
    if (option === 'udid' || (option !== undefined && knowsDomains)) {
      const value = rest.shift();
      if (value === undefined) {
        return usage(
          arg.startsWith('--')
            ? `option '${arg}' requires an argument`
            : `option requires an argument -- '${arg.slice(1)}'`,
        );
      }
      asked[option] = value;
    } else if (arg === '-v' || arg === '--version') {
      return { stdout: `${of.name} 1.3.0\n`, status: 0 };
    } else if (arg.startsWith('--') && arg !== '--network' && arg !== '--simple') {
      return usage(`unrecognized option '${arg}'`);
    } else if (/^-[^nsd-]/.test(arg)) {
      return usage(`invalid option -- '${arg[1]}'`);
    } else if (!arg.startsWith('-')) {
      asked.words.push(arg);
    }
  }
  return asked;
}

function ideviceId(
  args: readonly string[],
  seen: readonly SimulatedIphone[] | undefined,
): ProgramAnswer | Promise<ProgramAnswer> {
  const [word] = args.filter((arg) => !arg.startsWith('-'));
  if (word === undefined) {
    if (!seen) return { stderr: 'ERROR: Unable to retrieve device list!\n', status: 255 };
    const isNetwork = args.includes('-n') || args.includes('--network');
    const note = args.length === 0 ? ' (USB)' : '';
    return { stdout: isNetwork ? '' : seen.map(({ udid }) => `${udid}${note}\n`).join('') };
  }
  const phone = seen?.find(({ udid }) => udid === word);
  if (!phone) return { stderr: `ERROR: No device with UDID ${word} attached.\n`, status: 254 };
  if (phone.faults.has('hangs')) return never;
  return { stdout: `${phone.values.get('DeviceName') ?? ''}\n` };
}

const ideviceinfo: Tool = {
  name: 'ideviceinfo',
  about: 'Show information about a connected device.',
  usageStatus: 2,
  missing: (udid) => ({
    stdout: udid === undefined ? 'ERROR: No device found!\n' : `ERROR: Device ${udid} not found!\n`,
    status: 255,
  }),
  rejected: ({ code, text }) => ({
    stderr: `ERROR: Could not connect to lockdownd: ${text} (${code})\n`,
    status: 255,
  }),
  answer(phone, { domain, key }) {
    const values =
      domain === undefined
        ? phone.values
        : domain === 'com.apple.mobile.battery'
          ? phone.battery
          : new Map<string, string>();
    // A key that it does not have is no error.
    if (key !== undefined) return { stdout: values.has(key) ? `${values.get(key)}\n` : '' };
    const sorted = [...values].sort(([a], [b]) => (a < b ? -1 : 1));
    return { stdout: sorted.map(([name, value]) => `${name}: ${value}\n`).join('') };
  },
};

/** As the tools say it that print no words for an error. */
function missingQuietly(status: number): Tool['missing'] {
  return (udid) => ({
    stdout: udid === undefined ? 'No device found.\n' : `No device found with udid ${udid}.\n`,
    status,
  });
}

function rejectedWithCode(status: number): Tool['rejected'] {
  return ({ code }) => ({
    stdout: `ERROR: Could not connect to lockdownd, error code ${code}\n`,
    status,
  });
}

const idevicediagnostics: Tool = {
  name: 'idevicediagnostics',
  about: 'Use diagnostics interface of a device running iOS 4 or later.',
  usageStatus: 0,
  missing: missingQuietly(1),
  rejected: rejectedWithCode(1),
  wrong({ words }) {
    if (['restart', 'shutdown', 'sleep'].includes(words[0] ?? '')) return undefined;
    const stdout = `Usage: idevicediagnostics [OPTIONS] COMMAND\n\n${idevicediagnostics.about}\n`;
    return { stdout, status: 1 };
  },
  answer(phone, { words }) {
    const [command] = words;
    if (command === 'sleep') return { stdout: 'Putting device into deep sleep mode.\n' };
    if (phone.faults.has('restart-rejected')) {
      return { stdout: `ERROR: Failed to ${command} device.\n`, status: 0 };
    }
    if (command === 'shutdown') {
      phone.unplug();
      return { stdout: 'Shutting down device.\n' };
    }
    phone.restart();
    return { stdout: 'Restarting device.\n' };
  },
};

const idevicescreenshot: Tool = {
  name: 'idevicescreenshot',
  about: 'Gets a screenshot from a device.',
  usageStatus: 2,
  missing: missingQuietly(255),
  rejected: rejectedWithCode(255),
  answer(phone, { words }) {
    if (phone.faults.has('no-screenshots')) {
      const stdout =
        'Could not start screenshotr service! Remember that you have to mount the Developer disk image on your device if you want to use the screenshotr service.\n';
      return { stdout, status: 255 };
    }
    const file = words[0] ?? 'screenshot-2026-11-20-20-11-53.tiff';
    return { stdout: `Screenshot saved to ${file}\n`, files: { [file]: phone.screenshot } };
  },
};

const idevicesyslog: Tool = {
  name: 'idevicesyslog',
  about: 'Relay syslog of a connected device.',
  usageStatus: 2,
  missing: (udid) =>
    udid === undefined
      ? {
          stderr:
            'No device found. Plug in a device or pass UDID with -u to wait for device to be available.\n',
          status: 255,
        }
      : { stderr: `Waiting for device with UDID ${udid} to become available...\n`, stays: true },
  rejected: ({ code }) => ({
    stderr:
      code === -17
        ? '\n*** Device is passcode protected, enter passcode on the device to continue ***\n'
        : `ERROR: Could not connect to lockdownd: ${code}\n`,
    stays: true,
  }),
  // It goes on until somebody ends it.
  answer: () => ({ stdout: syslog, stays: true }),
};
