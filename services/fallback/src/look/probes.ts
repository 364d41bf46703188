/** Decides whether a service responds, as the rack requests it. */
import { errorText, parseJson } from '@skolo/base';
import { type Answer, request } from '@skolo/base/request';
import { hostOfUrl, type Rack, servicePorts } from '@skolo/rack';
import { z } from 'zod';
import type { PodService } from '../units/services.ts';

const timeoutMs = 5000;

export interface Probe {
  isAnswering: boolean;
  text: string;
}

/**
 * On the host's network its readiness. Otherwise its public port at the jumphost's address, since a pod has its metrics
 * elsewhere: there any answer of a skolo service will do, without a token.
 */
export async function askService(service: PodService, rack: Rack | undefined): Promise<Probe> {
  if (service.isOnHostNetwork) return await askReadiness(service, rack);
  const host = hostOfUrl(rack?.jumphost.address ?? '127.0.0.1');
  const url = `${schemeOf(service, rack)}://${host}:${servicePorts[service.name].port}/`;
  return await probe(
    url,
    ({ status, headers }) => status < 500 && headers['x-request-id'] !== undefined,
  );
}

/**
 * The metrics port of this computer: the unit, or a pod on the host's network. A metadata server without any token is not
 * ready, but it does what it can: while the internet connection is down, another one has none either.
 */
export async function askReadiness(service: PodService, rack: Rack | undefined): Promise<Probe> {
  const url = readinessUrl(service, rack, service.metricsPort);
  return await probe(url, (answer) => answer.status === 200 || lacksOnlyTokens(answer));
}

/** At this port of this computer, and with tokens. */
export async function askFullReadiness(
  service: PodService,
  rack: Rack | undefined,
  metricsPort: number,
): Promise<Probe> {
  return await probe(readinessUrl(service, rack, metricsPort), ({ status }) => status === 200);
}

/** What an existing system says at the ports of the service: any answer will do, since nobody knows its protocol here. */
export async function askExisting(service: PodService, rack: Rack | undefined): Promise<Probe> {
  const { port, metricsPort } = servicePorts[service.name];
  const hosts = ['127.0.0.1', hostOfUrl(rack?.jumphost.address ?? '127.0.0.1')];
  const urls = hosts.flatMap((host) =>
    [port, metricsPort].map((each) => `http://${host}:${each}/`),
  );
  const probes = await Promise.all([...new Set(urls)].map((url) => probe(url, () => true)));
  const answering = probes.find(({ isAnswering }) => isAnswering);
  return answering ?? { isAnswering: false, text: probes.map(({ text }) => text).join(', ') };
}

const Readiness = z.object({ degraded: z.array(z.object({ what: z.string() })) });

/** It has asked for tokens, so it has started. */
function lacksOnlyTokens({ status, text }: Answer): boolean {
  const degraded = Readiness.safeParse(parseJson(text)).data?.degraded ?? [];
  return status === 503 && degraded.some(({ what }) => what.startsWith('identity '));
}

function readinessUrl(service: PodService, rack: Rack | undefined, port: number): string {
  // The rack's certificate is for where the API is.
  const scheme = service.name === 'metadata-server' ? schemeOf(service, rack) : 'http';
  return `${scheme}://127.0.0.1:${port}/readyz`;
}

function schemeOf(service: PodService, rack: Rack | undefined): 'http' | 'https' {
  return rack?.services[service.name].tls === undefined ? 'http' : 'https';
}

async function probe(url: string, isGood: (answer: Answer) => boolean): Promise<Probe> {
  try {
    // The request holds no secret, and the certificate is for the name and not for the address.
    const answer = await request(url, { rejectUnauthorized: false, timeoutMs });
    return { isAnswering: isGood(answer), text: `${new URL(url).origin} returns ${answer.status}` };
  } catch (error) {
    return { isAnswering: false, text: errorText(error) };
  }
}
