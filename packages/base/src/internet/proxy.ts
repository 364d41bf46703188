/**
 * Decides which requests to the internet use a proxy, from the environment: `https_proxy`, `http_proxy` and `no_proxy`, in lower or
 * upper case.
 *
 * `no_proxy` has curl's rules, and Go's for ports and `*.`: domains include their subdomains, addresses may be networks
 * (`10.0.0.0/8`), `HOST:PORT` is that port alone, and `*` is everything. Sources: curl(1), "NO_PROXY";
 * https://pkg.go.dev/golang.org/x/net/http/httpproxy
 */
import { BlockList, isIP } from 'node:net';
import { NamedError } from '../named-error.ts';

/** The proxy cannot be used, or did not connect. The message names it without its user and password. */
export class ProxyError extends NamedError {
  readonly code = 'PROXY';
}

/** Only this computer and its own network can answer these, whatever the environment contains. */
const neverProxied = [
  'localhost',
  '127.0.0.0/8',
  '127.0.0.1',
  '::1',
  '169.254.0.0/16',
  '169.254.169.254',
  'fe80::/10',
  'metadata',
  'metadata.google.internal',
];

/**
 * The proxy for a request, or undefined for a direct connection.
 *
 * @throws ProxyError The variable does not contain the URL of an HTTP proxy.
 */
export function proxyFor(target: URL | string, env: NodeJS.ProcessEnv = process.env) {
  const url = new URL(target);
  const name = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  const text = env[name] || env[name.toUpperCase()];
  if (!text) return undefined;
  const host = hostOf(url).toLowerCase().replace(/\.$/, '');
  const excluded = (env.no_proxy || env.NO_PROXY || '').toLowerCase().split(/[\s,]+/);
  const port = String(portOf(url));
  if ([...neverProxied, ...excluded].some((entry) => isListed(host, port, entry))) return undefined;
  const proxy = text.includes('://') ? text : `http://${text}`;
  if (URL.canParse(proxy) && /^https?:$/.test(new URL(proxy).protocol)) return new URL(proxy);
  throw new ProxyError(`${name}: not the URL of an HTTP proxy; set it to http://HOST:PORT`);
}

/** ` (through the proxy HOST:PORT)`, or nothing: follows the name of a server in errors that do not name its proxy. */
export function throughProxy(
  target: URL | string,
  error?: unknown,
  env: NodeJS.ProcessEnv = process.env,
): string {
  const isNamed = [error, error instanceof Error && error.cause].some(
    (e) => e instanceof ProxyError,
  );
  if (isNamed) return '';
  try {
    const proxy = proxyFor(target, env);
    return proxy === undefined ? '' : ` (through the proxy ${proxy.host})`;
  } catch {
    return '';
  }
}

/**
 * Makes libraries that read the environment use the same proxy for a server, although each has its own rules for
 * `no_proxy`: all of them understand an exact host name. grpc-js reads only the variables in lower case.
 *
 * @throws ProxyError
 */
export function setLibraryProxy(target: URL | string, env: NodeJS.ProcessEnv = process.env): void {
  const proxy = proxyFor(target, env);
  if (proxy !== undefined) env.https_proxy = env.HTTPS_PROXY = proxy.href;
  const listed = (env.no_proxy || env.NO_PROXY || '').split(/[\s,]+/);
  // grpc-js prefers a variable of its own.
  const isDirect = proxy === undefined && !env.grpc_proxy;
  const direct = [...neverProxied, ...(isDirect ? [hostOf(new URL(target))] : [])];
  env.no_proxy = env.NO_PROXY = [...new Set([...listed, ...direct])].filter(Boolean).join();
}

/** Without the brackets of an IPv6 address. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

export function portOf({ port, protocol }: URL): number {
  return Number(port) || (protocol === 'https:' ? 443 : 80);
}

function isListed(host: string, port: string, entry: string): boolean {
  if (entry === '*') return true;
  const isAddress = isIP(entry.split('/', 1)[0] ?? '') !== 0;
  const [, bare = '', itsPort] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(entry) ?? [];
  if (!isAddress && itsPort !== undefined && itsPort !== port) return false;
  const listed = isAddress ? entry : bare;
  if (isIP(host) !== 0) return isInNetwork(host, listed);
  const domain = listed.replace(/^\*?\./, '').replace(/\.$/, '');
  return domain !== '' && `.${host}`.endsWith(`.${domain}`);
}

function isInNetwork(host: string, network: string): boolean {
  const [address = '', bits] = network.split('/');
  const family = isIP(address);
  const most = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : Number(bits || Number.NaN);
  if (family === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > most) return false;
  const list = new BlockList();
  list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
}
