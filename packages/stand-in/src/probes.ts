/** Does a service answer, as the rack asks it? */
import { errorText } from '@skolo/errors';
import { hostOfUrl, type Rack, servicePorts } from '@skolo/rack';
import { z } from 'zod';
import { ask, type HttpAnswer } from './http.ts';
import type { StandInService } from './services.ts';

const timeoutMs = 5000;

export interface Probe {
  isAnswering: boolean;
  /** What was asked, and what came of it. */
  text: string;
}

/**
 * On the host's network its readiness; else its public port at the jumphost's address, since a pod has its metrics
 * elsewhere. There any answer of a skolo service will do: nobody signs in here.
 */
export async function askService(service: StandInService, rack: Rack | undefined): Promise<Probe> {
  if (service.isOnHostNetwork) return await askReadiness(service, rack);
  const host = hostOfUrl(rack?.jumphost.address ?? '127.0.0.1');
  const url = new URL(`${schemeOf(service, rack)}://${host}:${servicePorts[service.name].port}/`);
  return await probe(
    url,
    ({ status, headers }) => status < 500 && headers['x-request-id'] !== undefined,
  );
}

/**
 * What answers at the metrics port of this computer: the unit, or a pod on the host's network. A metadata server without any
 * token is not ready, but it does what can be done: while the uplink is away, another one has none either.
 */
export async function askReadiness(
  service: StandInService,
  rack: Rack | undefined,
): Promise<Probe> {
  // The rack's certificate is for where the API is.
  const scheme = service.name === 'metadata-server' ? schemeOf(service, rack) : 'http';
  const url = new URL(`${scheme}://127.0.0.1:${service.metricsPort}/readyz`);
  return await probe(url, (answer) => answer.status === 200 || lacksOnlyTokens(answer));
}

const Readiness = z.object({ degraded: z.array(z.object({ what: z.string() })) });

/** It has asked for tokens, so it has started. */
function lacksOnlyTokens({ status, body }: HttpAnswer): boolean {
  if (status !== 503) return false;
  try {
    const { degraded } = Readiness.parse(JSON.parse(body));
    return degraded.some(({ what }) => what.startsWith('identity '));
  } catch {
    return false;
  }
}

function schemeOf(service: StandInService, rack: Rack | undefined): 'http' | 'https' {
  return rack?.services[service.name].tls === undefined ? 'http' : 'https';
}

async function probe(url: URL, isGood: (answer: HttpAnswer) => boolean): Promise<Probe> {
  try {
    // Nothing secret is said, and the certificate is for the name and not for the address.
    const answer = await ask(url, { timeoutMs, tls: { rejectUnauthorized: false } });
    return { isAnswering: isGood(answer), text: `${url.origin} answers with ${answer.status}` };
  } catch (error) {
    const why = errorText(error);
    return { isAnswering: false, text: `${url.origin} does not answer (${why})` };
  }
}
