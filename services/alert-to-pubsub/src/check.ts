/** `--check`: sinks that cannot work. */
import { access, constants, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Finding, hostOfUrl, type Rack, servicePorts, serviceUrl } from '@skolo/rack';

export async function check(rack: Rack): Promise<Finding[]> {
  const findings = rack.services['alert-to-pubsub'].sinks.map(async (sink, i) => {
    const key = sink.kind === 'file' ? 'file' : 'url';
    const path = ['services', 'alert-to-pubsub', 'sinks', i, key];
    const message =
      sink.kind === 'file'
        ? await faultOfFile(resolve(rack.dir, sink.file))
        : isOwnUrl(sink.url, rack)
          ? `${new URL(sink.url).host} is alert-to-pubsub itself, which would receive its own messages as alerts; specify another URL`
          : undefined;
    return message === undefined ? [] : [{ path, message }];
  });
  return (await Promise.all(findings)).flat();
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
