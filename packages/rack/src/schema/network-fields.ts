/** Decides whether names, addresses and URLs in rack.yaml are valid, and brings them into a canonical form, so that duplicates are found. */

import { isIPv4, isIPv6 } from 'node:net';
import { isSafeForSecrets } from '@skolo/base/secrets';
import { whole } from '@skolo/equipment/models';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { canonical, text } from './fields.ts';

export const portNumber = whole(1, 65_535);

/** A network port: `8022`, or text from a range. */
export const portOrRange = z
  .union([
    portNumber,
    z
      .string()
      .regex(/^\d{1,5}$/)
      .transform(Number)
      .pipe(portNumber),
  ])
  .meta({ title: 'port number' });

/** One label of a host name, valid in DNS and GCE. */
export const hostName = canonical('a host name', 'rpi-001', (name) => {
  const wrong = hostNameProblem(name);
  return wrong === undefined ? name : { wrong };
});

/** The error of text in brackets that is not a range. */
const notARange = 'is not a range: ranges contain numbers, as in "rpi-[001-040]" or "rpi-[1,4-7]"';

/** Undefined for a valid host name. */
export function hostNameProblem(name: string): string | undefined {
  if (/^(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) return undefined;
  if (/[[\]{}]/.test(name)) return `"${name}" ${notARange}`;
  const hint = asHostName(name);
  const rule =
    'at most 63 lower-case letters, digits and hyphens, with at least one letter and no hyphen at either end';
  const better = hint !== name && /[a-z]/.test(hint) && hint.length <= 63;
  return `"${name}" is not a host name (${rule})${better ? `; did you mean "${hint}"?` : ''}`;
}

/** A host name that resembles the text; empty if it has no letters or digits. */
export function asHostName(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
}

/** Labels with dots. */
const dottedLabels =
  /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
export const domainName = text(dottedLabels, 'a domain name', 'lan');

/** The canonical form: `fd00:0::1` is `fd00::1`, `::ffff:10.0.0.1` is `10.0.0.1`. No zone (`fe80::1%eth0`). */
export function canonicalAddress(address: string): string | undefined {
  if (isIPv4(address)) return address;
  return isIPv6(address) && !address.includes('%') ? ipaddr.process(address).toString() : undefined;
}

/** The only address in pasted text: a URL, a network, or text with a port, a user or blanks around the address. */
function pastedAddress(text: string): string | undefined {
  if (text.includes('%')) return undefined;
  const found = text.split(/[^\da-f:.]+/i).flatMap((part) => {
    const bare = part.replace(/[.:]+$/, '');
    return canonicalAddress(bare) ?? canonicalAddress(bare.replace(/:\d+$/, '')) ?? [];
  });
  return found.length === 1 ? found[0] : undefined;
}

export const address = canonical('an IP address', '192.168.1.8', (input) => {
  const canonical = canonicalAddress(input);
  if (canonical !== undefined) return canonical;
  const pasted = pastedAddress(input);
  if (pasted !== undefined) {
    // The rest may be a password.
    return { wrong: `expected an IP address and nothing else; write ${pasted}` };
  }
  if (/[[\]{}]/.test(input)) return { wrong: `"${input}" ${notARange}` };
  const plain = input
    .split('.')
    .map((part) => part.replace(/^0+(?=\d)/, ''))
    .join('.');
  return canonicalAddress(plain) === undefined
    ? undefined
    : {
        wrong: `"${input}" has leading zeros, which some programs interpret as octal; write ${plain}`,
      };
});

/** Host of a URL, without port and brackets. */
export const urlHost = canonical('a host name or IP address', 'rack4.example.com', (input) => {
  const isName = dottedLabels.test(input) && !/^[\d.]+$/.test(input);
  return isName ? input : canonicalAddress(input);
});

/** A network, `10.42.0.0/24`; a single address gets all bits. */
export const cidr = canonical('a network', '10.42.0.0/24', (input) => {
  const [base = '', bits, rest] = input.split('/');
  const canonical = canonicalAddress(base);
  if (canonical === undefined || rest !== undefined) return undefined;
  const [most, ip] = isIPv4(canonical) ? [32, ipaddr.IPv4] : [128, ipaddr.IPv6];
  if (bits !== undefined && (!/^\d{1,3}$/.test(bits) || Number(bits) > most)) return undefined;
  const network = ip.networkAddressFromCIDR(`${canonical}/${bits ?? most}`).toString();
  if (network !== canonical) {
    return { wrong: `"${input}" is not a network address; did you mean ${network}/${bits}?` };
  }
  return `${canonical}/${Number(bits ?? most)}`;
});

/** Lower case, with colons. */
export const mac = canonical('a MAC address', 'dc:a6:32:00:01:0f', (input) => {
  const written =
    /^[0-9a-f]{2}(([:-])[0-9a-f]{2})(\2[0-9a-f]{2}){4}$|^[0-9a-f]{4}(\.[0-9a-f]{4}){2}$/i;
  const digits = input.toLowerCase().replaceAll(/[:.-]/g, '');
  return written.test(input) ? (digits.match(/../g) ?? []).join(':') : undefined;
});

/** Of a Raspberry Pi: lower case. Source: /proc/device-tree/serial-number, 16 digits since the first model. */
export const boardSerial = canonical('a serial number', '10000000f00dcafe', (input) =>
  /^[0-9a-f]{16}$/i.test(input) ? input.toLowerCase() : undefined,
);

/** Of an ssh server. */
export const hostKey = text(
  /^SHA256:[A-Za-z0-9+/]{43}$/,
  'a fingerprint as printed by ssh-keygen -l',
  `SHA256:${'A'.repeat(43)}`,
);

export const email = text(
  /^[^\s@"'<>]+@[^\s@"'<>]+\.[^\s@"'<>]+$/,
  'an e-mail address',
  'ann@example.com',
);

/** Messages omit the URL, because it may contain a secret. */
function checkedUrl(input: string, example: string): { url: URL } | { wrong: string } {
  if (!URL.canParse(input) || !/^https?:\/\//i.test(input)) {
    return { wrong: `this is not an http or https URL such as ${example}` };
  }
  const url = new URL(input);
  if (!url.username && !url.password) return { url };
  return {
    wrong: 'this URL contains a user name or password, but rack.yaml must not contain secrets',
  };
}

/** An absolute http or https URL, without a trailing slash. */
export const httpUrl = canonical('an http or https URL', 'http://192.168.1.8:9210', (input) => {
  const checked = checkedUrl(input, 'http://192.168.1.8:9210');
  return 'wrong' in checked ? checked : input.replace(/\/+$/, '');
});

/** The key at the top of rack.yaml, and the key of machine-state that it replaces. */
export const alertmanager = z.union([httpUrl, z.literal('none')]).exactOptional();

const googleTokens = 'https://oauth2.googleapis.com/token';

/** A URL for tokens: https, or http on loopback. */
export const tokenUrl = canonical('an https URL', googleTokens, (input) => {
  const checked = checkedUrl(input, googleTokens);
  if ('wrong' in checked) return checked;
  if (isSafeForSecrets(checked.url)) return input;
  const { hostname } = checked.url;
  return { wrong: `tokens require https, except on loopback; ${hostname} is not loopback` };
});

/** A 64-bit number as text, because YAML would round it. */
export const digits64 = z
  .union([z.string(), z.number()])
  .meta({ title: '64-bit number, in quotes' })
  .transform((input, context): string => {
    if (typeof input === 'number' && !Number.isSafeInteger(input)) {
      const message = 'this number is too long to be represented exactly; put it in quotes';
      context.issues.push({ code: 'custom', message, input });
      return z.NEVER;
    }
    const digits = String(input);
    if (!/^\d{1,20}$/.test(digits) || BigInt(digits) >= 2n ** 64n) {
      const message = `"${digits}" is not a 64-bit number (0 to ${2n ** 64n - 1n})`;
      context.issues.push({ code: 'custom', message, input });
      return z.NEVER;
    }
    return BigInt(digits).toString();
  });
