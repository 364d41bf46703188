/** `--check`: finds sinks that cannot work. Credentials in rack.yaml are checked for each service. */
import { access, constants, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { readSecret } from '@skolo/base/secrets';
import { defaultKeyFault } from '@skolo/google';
import { type Finding, hostOfUrl, type Rack, servicePorts, serviceUrl } from '@skolo/rack';

type HttpSink = Extract<Rack['services']['alert-to-pubsub']['sinks'][number], { kind: 'http' }>;

export async function check(rack: Rack): Promise<Finding[]> {
  const { pubsub, credentials, sinks } = rack.services['alert-to-pubsub'];
  const message = pubsub && credentials === 'default' ? await defaultKeyFault() : undefined;
  const path = ['services', 'alert-to-pubsub', 'credentials'];
  const findings = sinks.map(async (sink, i) => {
    const faults =
      sink.kind === 'file'
        ? { file: await faultOfFile(resolve(rack.dir, sink.file)) }
        : { url: faultOfUrl(sink.url, rack), token: await faultOfToken(sink, rack) };
    return Object.entries(faults).flatMap(([key, message]) => {
      const path = ['services', 'alert-to-pubsub', 'sinks', i, key];
      return message === undefined ? [] : [{ path, message }];
    });
  });
  return [...(message ? [{ path, message }] : []), ...(await Promise.all(findings)).flat()];
}

function faultOfUrl(url: string, rack: Rack): string | undefined {
  if (isOwnUrl(url, rack)) {
    return `${new URL(url).host} is alert-to-pubsub itself, which would receive its own messages as alerts; specify another URL`;
  }
  return /[?&](sig|token|key|secret)=(?!\{\{)[^&]/i.test(url)
    ? 'contains a secret; move its value to the file in `token`, and write {{token}} in its place'
    : undefined;
}

/** Slack and others show people a whole URL. */
async function faultOfToken({ token }: HttpSink, rack: Rack): Promise<string | undefined> {
  // Whether it can be read is checked for all secrets.
  const secret = token && (await readSecret(rack, token).catch(() => undefined));
  return secret?.reveal().includes('://')
    ? 'the file contains a URL; write only the part that the template requires (docs/change/alert-receivers.md)'
    : undefined;
}

/** The sink does not create the file's directory, because a disk may not be mounted. */
async function faultOfFile(file: string): Promise<string | undefined> {
  const folder = dirname(file);
  const isWritable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!isWritable) {
    return `${folder} is missing or not writable; create it, mount its disk, or change its owner`;
  }
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || found.isFile()) return undefined;
  return `${file} is not a regular file; specify another file`;
}

const local = /^(localhost|127(\.\d+){3}|\[::1\]|alert-to-pubsub(\.skolo(\.svc(\..+)?)?)?)$/;

/** The service's own URL, by any of its names in the rack and the cluster. */
function isOwnUrl(text: string, rack: Rack): boolean {
  if (!URL.canParse(text)) return false;
  const own = new URL(serviceUrl(rack, 'alert-to-pubsub'));
  const { protocol, hostname, port } = new URL(text);
  const ports = [own.port, ...Object.values(servicePorts['alert-to-pubsub']).map(String)];
  const { name, address = name } = rack.jumphost;
  const isOwnHost =
    local.test(hostname) || [own.hostname, name, hostOfUrl(address)].includes(hostname);
  return isOwnHost && ports.includes(port || (protocol === 'https:' ? '443' : '80'));
}
