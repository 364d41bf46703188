/** Where Prometheus hands in its alerts. */
import { Buffer } from 'node:buffer';
import { whyUnreachable } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { loadRack } from '../../rack-file.ts';

export interface AlertDoor {
  /** @throws CliError It was not accepted. */
  post(alert: object): Promise<void>;
}

const answerWithinMs = 30_000;
const longestReason = 300;

/** Signed in as rack.yaml says Alertmanager has to be. With `--url` nobody knows, and nothing is sent. */
export async function doorOf(command: SkoloCommand, baseUrl: string): Promise<AlertDoor> {
  const authorization = command.globals().url === undefined ? await signIn(command) : undefined;
  const url = `${baseUrl.replace(/\/$/, '')}/api/v2/alerts`;
  const headers = {
    'content-type': 'application/json',
    ...(authorization !== undefined && { authorization }),
  };
  return {
    async post(alert) {
      const body = JSON.stringify([alert]);
      const signal = AbortSignal.timeout(answerWithinMs);
      let answer: Response;
      try {
        answer = await fetch(url, { method: 'POST', headers, body, signal });
      } catch (error) {
        const isLate = error instanceof Error && error.name === 'TimeoutError';
        const why = isLate ? `no answer within ${answerWithinMs / 1000} s` : whyUnreachable(error);
        throw new CliError(`POST ${url}: not accepted: ${why}`, undefined, { cause: error });
      }
      const text = await answer.text();
      if (answer.ok) return;
      const why = whyOf(text) || answer.statusText;
      throw new CliError(`POST ${url}: not accepted (${answer.status}): ${why}`);
    },
  };
}

async function signIn(command: SkoloCommand): Promise<string | undefined> {
  const { readSecret } = await import('@skolo/secrets');
  const rack = await loadRack(command.globals());
  const { bearer, username, password } = rack.services['alert-to-pubsub'].auth;
  if (bearer !== undefined) return `Bearer ${(await readSecret(rack, bearer)).reveal().trim()}`;
  if (username === undefined || password === undefined) return undefined;
  const secret = (await readSecret(rack, password)).reveal().trimEnd();
  return `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}`;
}

/** Of a problem its detail; of Alertmanager's kind a JSON string. */
function whyOf(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'string') return body;
    if (typeof body === 'object' && body !== null && 'detail' in body) return String(body.detail);
  } catch {
    // Then as it is.
  }
  return text.trim().slice(0, longestReason);
}
