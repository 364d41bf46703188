/** Does a service answer, as the rack asks it? */
import { hostOfUrl, type Rack, servicePorts } from '@skolo/rack';
import { ask } from './http.ts';
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
    (status, headers) => status < 500 && headers['x-request-id'] !== undefined,
  );
}

/** What answers at the metrics port of this computer: the unit, or a pod on the host's network. */
export async function askReadiness(
  service: StandInService,
  rack: Rack | undefined,
): Promise<Probe> {
  // The rack's certificate is for where the API is.
  const scheme = service.name === 'metadata-server' ? schemeOf(service, rack) : 'http';
  const url = new URL(`${scheme}://127.0.0.1:${service.metricsPort}/readyz`);
  return await probe(url, (status) => status === 200);
}

function schemeOf(service: StandInService, rack: Rack | undefined): 'http' | 'https' {
  return rack?.services[service.name].tls === undefined ? 'http' : 'https';
}

async function probe(
  url: URL,
  isGood: (status: number, headers: Record<string, unknown>) => boolean,
): Promise<Probe> {
  try {
    // Nothing secret is said, and the certificate is for the name and not for the address.
    const { status, headers } = await ask(url, { timeoutMs, tls: { rejectUnauthorized: false } });
    return { isAnswering: isGood(status, headers), text: `${url.origin} answers with ${status}` };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { isAnswering: false, text: `${url.origin} does not answer (${why})` };
  }
}
