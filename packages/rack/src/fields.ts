/**
 * Building blocks of the schema. Each says in its error what was found and what should be there.
 */
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { nearest } from './suggest.ts';

/** A map with exactly these keys. */
export function object<S extends z.ZodRawShape>(shape: S): z.ZodObject<S, z.core.$strict> {
  return z.strictObject(shape);
}

/** A map whose keys all have defaults, and which may be left out itself. */
export function section<S extends z.ZodRawShape>(shape: S) {
  return object(shape).prefault({} as z.input<z.ZodObject<S, z.core.$strict>>);
}

/** Text of a certain form. `what` and `example` make the error: `"x" is not a MAC address; for example …`. */
export function text(pattern: RegExp, what: string, example: string) {
  return z
    .string()
    .regex(pattern, { error: ({ input }) => `"${input}" is not ${what}; for example ${example}` })
    .meta({ examples: [example] });
}

/** Text that is read into something else. `read` returns undefined, or the error as `{ wrong }`, for what it does not understand. */
export function reading<T>(
  what: string,
  example: string,
  read: (text: string) => T | Wrong | undefined,
) {
  return z
    .string()
    .meta({ examples: [example] })
    .transform((input, context): T => {
      const value = read(input);
      const message = isWrong(value)
        ? value.wrong
        : `"${input}" is not ${what}; for example ${example}`;
      if (value !== undefined && !isWrong(value)) return value;
      context.issues.push({ code: 'custom', message, input });
      return z.NEVER;
    });
}

export interface Wrong {
  wrong: string;
}

function isWrong(value: unknown): value is Wrong {
  return typeof value === 'object' && value !== null && 'wrong' in value;
}

/** A whole number between two bounds. */
export function whole(min: number, max: number) {
  return z.number().int().min(min).max(max);
}

/** A time in seconds; fractions are fine. */
export function seconds(min: number, max: number) {
  return z.number().min(min).max(max);
}

export const portNumber = whole(1, 65_535);

/** A network port in an entry that may have a range: `8022`, or text that a range gave. */
export const portOrRange = z
  .union([
    portNumber,
    z
      .string()
      .regex(/^\d{1,5}$/)
      .transform(Number)
      .pipe(portNumber),
  ])
  .meta({ examples: [22] });

/** One label of a host name, as DNS and GCE take it. */
export const hostName = reading('a host name', 'rpi-001', (name) => {
  if (/^(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) return name;
  const hint = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  const rule = 'lower-case letters, digits and hyphens, at most 63, at least one letter';
  const better = hint !== name && /[a-z]/.test(hint) && hint.length <= 63;
  return {
    wrong: `"${name}" is not a host name (${rule})${better ? `; did you mean "${hint}"?` : ''}`,
  };
});

/** Several labels with dots. */
export const domainName = text(
  /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/,
  'a domain name',
  'lan',
);

/** The one way in which an address is written: `fd00:0::1` is `fd00::1`, `::ffff:10.0.0.1` is `10.0.0.1`. */
export function canonicalAddress(address: string): string | undefined {
  if (/^(\d{1,3}\.){3}\d{1,3}$/.test(address)) {
    const plain = address
      .split('.')
      .every((part) => Number(part) < 256 && String(Number(part)) === part);
    return plain ? address : undefined;
  }
  if (!/^[0-9a-f:.]+$/i.test(address) || !ipaddr.IPv6.isValid(address)) return undefined;
  return ipaddr.process(address).toString();
}

export const address = reading('an IP address', '192.168.1.8', (input) => {
  const canonical = canonicalAddress(input);
  if (canonical !== undefined) return canonical;
  const plain = input
    .split('.')
    .map((part) => part.replace(/^0+(?=\d)/, ''))
    .join('.');
  return canonicalAddress(plain) === undefined
    ? undefined
    : { wrong: `"${input}" has leading zeros, which some programs read as octal; write ${plain}` };
});

/** A network, `10.42.0.0/24`; a single address is itself with all bits. Canonical text. */
export const cidr = reading('a network', '10.42.0.0/24', (input) => {
  const [base = '', bits, rest] = input.split('/');
  const canonical = canonicalAddress(base);
  if (canonical === undefined || rest !== undefined) return undefined;
  const ip = ipaddr.parse(canonical);
  const most = ip.kind() === 'ipv4' ? 32 : 128;
  if (bits !== undefined && (!/^\d{1,3}$/.test(bits) || Number(bits) > most)) return undefined;
  const network = firstAddress(`${canonical}/${bits ?? most}`);
  if (network !== canonical) {
    return { wrong: `"${input}" is an address within a network; did you mean ${network}/${bits}?` };
  }
  return `${canonical}/${Number(bits ?? most)}`;
});

function firstAddress(network: string): string {
  const [ip, bits] = ipaddr.parseCIDR(network);
  const bytes = ip
    .toByteArray()
    .map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - i * 8))) & 0xff);
  return ipaddr.fromByteArray(bytes).toString();
}

/** Lower case, with colons. */
export const mac = reading('a MAC address', 'dc:a6:32:00:01:0f', (input) => {
  const digits = input.toLowerCase().replaceAll(/[:.-]/g, '');
  return /^[0-9a-f]{12}$/.test(digits) && /^[0-9a-f]{2,4}([:.-]?[0-9a-f]{2,4})+$/i.test(input)
    ? (digits.match(/../g) ?? []).join(':')
    : undefined;
});

/** Digits of at most 64 bits, kept as text: a number in YAML would be rounded. */
export const digits64 = z
  .union([z.string(), z.number()])
  .meta({ examples: ['4520031799277581759'] })
  .transform((input, context): string => {
    if (typeof input === 'number' && !Number.isSafeInteger(input)) {
      const message = 'this number is too long to be read exactly; put it in quotes';
      context.issues.push({ code: 'custom', message, input });
      return z.NEVER;
    }
    const digits = String(input);
    if (!/^\d{1,20}$/.test(digits) || BigInt(digits) >= 2n ** 64n) {
      const message = `"${digits}" is not a number of 64 bits (0 to ${2n ** 64n - 1n})`;
      context.issues.push({ code: 'custom', message, input });
      return z.NEVER;
    }
    return BigInt(digits).toString();
  });

export const email = text(
  /^[^\s@"'<>]+@[^\s@"'<>]+\.[^\s@"'<>]+$/,
  'an e-mail address',
  'ann@example.com',
);

function parseUrl(input: string): URL | undefined {
  return URL.canParse(input) ? new URL(input) : undefined;
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}

/** An absolute http or https URL, without a slash at its end. */
export const httpUrl = reading('an http or https URL', 'http://192.168.1.8:9210', (input) => {
  const url = parseUrl(input);
  if (url === undefined || !/^https?:\/\//i.test(input)) return undefined;
  if (url.username || url.password)
    return { wrong: 'this URL holds a password; secrets are never in rack.yaml' };
  return withoutSlash(input);
});

/** A URL that tokens travel over: https, or http on loopback. */
export const tokenUrl = reading('an https URL', 'https://oauth2.googleapis.com/token', (input) => {
  const url = parseUrl(input);
  if (url === undefined || !/^https?:\/\//i.test(input)) return undefined;
  if (url.username || url.password)
    return { wrong: 'this URL holds a password; secrets are never in rack.yaml' };
  if (url.protocol === 'http:' && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)) {
    return { wrong: `"${input}": tokens go over https, or over http on loopback only` };
  }
  return input;
});

/** A path; where it is relative, it is so to the folder of rack.yaml. */
export const path = reading('a path', 'secrets/bots.json', (input) => {
  if (/[\n\r\0]|^\s*[{[]|-----BEGIN/.test(input)) {
    return {
      wrong: 'this looks like the secret itself; put it in a file and write the path of the file',
    };
  }
  return input === '' || input.trim() !== input ? undefined : input;
});

const envName = text(
  /^[A-Za-z_][A-Za-z0-9_]*$/,
  'the name of an environment variable',
  'SWITCH_PASSWORD',
);

/** `secrets/switch`, `{ file: secrets/switch }` or `{ env: SWITCH_PASSWORD }`. */
export const secret = z
  .union([path.transform((file) => ({ file })), object({ file: path }), object({ env: envName })])
  .meta({ examples: [{ file: 'secrets/switch' }, { env: 'SWITCH_PASSWORD' }] });

/** `secrets/bots.json` or `{ file: secrets/bots.json }`; its path. */
export const secretFile = z.union([path, object({ file: path }).transform(({ file }) => file)]);

export const timezone = reading('a time zone', 'America/New_York', (input) => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: input }).resolvedOptions().timeZone && input;
  } catch {
    const zones = Intl.supportedValuesOf('timeZone');
    const cities = zones.filter((zone) => zone.toLowerCase().endsWith(`/${input.toLowerCase()}`));
    const guess = cities[0] ?? nearest(input, zones);
    return guess === undefined
      ? undefined
      : { wrong: `"${input}" is not a time zone; did you mean "${guess}"?` };
  }
});

const cronFields = [
  { name: 'minute', min: 0, max: 59, words: [] },
  { name: 'hour', min: 0, max: 23, words: [] },
  { name: 'day of month', min: 1, max: 31, words: [] },
  {
    name: 'month',
    min: 1,
    max: 12,
    words: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { name: 'day of week', min: 0, max: 7, words: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
] as const;

/** Five fields of cron: minute, hour, day of month, month, day of week. */
export const cron = reading('a cron schedule', '15 3 * * *', (input) => {
  const fields = input.trim().split(/\s+/);
  if (fields.length !== 5) {
    return {
      wrong: `"${input}" has ${fields.length} fields; a schedule has five: minute, hour, day of month, month, day of week`,
    };
  }
  const bad = cronFields.findIndex((field, i) => !isCronField(fields[i] ?? '', field));
  if (bad < 0) return fields.join(' ');
  const { name, min, max } = cronFields[bad] ?? cronFields[0];
  return {
    wrong: `"${fields[bad]}" does not fit the ${name} (${min} to ${max}, *, lists, spans and /steps)`,
  };
});

function isCronField(field: string, { min, max, words }: (typeof cronFields)[number]): boolean {
  const value = (part: string) => {
    const word = (words as readonly string[]).indexOf(part.toLowerCase());
    return word >= 0 ? word + min : /^\d{1,2}$/.test(part) ? Number(part) : Number.NaN;
  };
  return field.split(',').every((item) => {
    const [span = '', step, rest] = item.split('/');
    if (rest !== undefined || (step !== undefined && !/^[1-9]\d?$/.test(step))) return false;
    if (span === '*') return true;
    const [from = '', to = from, more] = span.split('-');
    return more === undefined && value(from) >= min && value(to) <= max && value(from) <= value(to);
  });
}
