/** Whether another service is ready, and its version, from its metrics port. */
import { ApiUnreachable, createClient } from '@skolo/api';
import { probesApi, Readiness } from '@skolo/api/probes';
import { bytesUpTo, parseJson } from '@skolo/base';
import { type Rack, serviceMetricsUrl } from '@skolo/rack';
import { namespaceOf, servicePorts } from '@skolo/rack/light';
import type { AskedService } from './service-apis.ts';

export interface Probe {
  readiness: Readiness;
  version?: string;
}

const timeoutMs = 5000;
const mostBytes = 4 * 1024 * 1024;

/** @throws ApiUnreachable, ApiError */
export async function askReadiness(
  rack: Rack,
  service: AskedService,
  signal: AbortSignal,
): Promise<Probe> {
  try {
    return await ask(serviceMetricsUrl(rack, service), rack.name, signal);
  } catch (error) {
    const isGiven = rack.services[service].metricsUrl !== undefined;
    if (isGiven || !(error instanceof ApiUnreachable)) throw error;
    return await ask(inCluster(service), rack.name, signal).catch(() => {
      throw error;
    });
  }
}

/** The Services of kube/base that are not reachable at the jumphost's addresses. */
function inCluster(service: AskedService): string {
  return `http://${service}-metrics.${namespaceOf(service)}.svc:${servicePorts[service].metricsPort}`;
}

async function ask(baseUrl: string, rack: string, signal: AbortSignal): Promise<Probe> {
  const client = createClient(probesApi, { baseUrl, rack, timeoutMs, mostBytes });
  const { bytes } = await client.metrics({ signal });
  // A client treats the answer of a service that is not ready (503) as an error, without its content.
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const response = await fetch(`${baseUrl}/readyz`, { signal: deadline, redirect: 'manual' });
  const json = await bytesUpTo(mostBytes, response.body ?? [], () => new Error('too large'));
  const readiness = Readiness.parse(parseJson(json.toString(), mostBytes));
  const [, version] =
    /^skolo_build_info\{[^}]*\bversion="([^"]*)"/m.exec(new TextDecoder().decode(bytes)) ?? [];
  return { readiness, ...(version !== undefined && { version }) };
}
