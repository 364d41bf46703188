/** The real kubectl, as a function. */
import type { ChildProcess } from 'node:child_process';
import { errorText, NamedError, withDeadline } from '@skolo/base';
import { type ProgramOptions, runToEnd } from '../program.ts';

interface KubectlOptions extends ProgramOptions {
  input?: string;
  /** Default 60 s. */
  deadlineMs?: number;
}

/**
 * Runs kubectl for one rack and returns its standard output.
 *
 * @throws KubectlError It exited with a status other than 0, or not in time.
 */
export type Kubectl = (args: readonly string[], options?: KubectlOptions) => Promise<string>;

export class KubectlError extends NamedError {
  /** The API server's response: `NotFound`, `Conflict`, `AlreadyExists`, `Forbidden`; or `Unreachable`, `Failed`. */
  readonly reason: string;

  constructor(message: string, reason: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** @param start starts kubectl */
export function kubectlWith(start: (args: readonly string[]) => ChildProcess): Kubectl {
  return async (args, { deadlineMs: ms = 60_000, signal, ...given } = {}) => {
    const what = `kubectl ${args.slice(0, 2).join(' ')}`;
    const late = () =>
      new KubectlError(`${what}: no response within ${ms / 1000} s`, 'Unreachable');
    const { code, stdout, stderr } = await withDeadline({ ms, late, signal }, (stop) =>
      runToEnd(() => start(args), { ...given, signal: stop }),
    ).catch((cause: unknown) => {
      if (cause instanceof KubectlError || signal?.aborted) throw cause;
      throw new KubectlError(
        `${what}: ${errorText(cause)}; check that kubectl is installed`,
        'Failed',
        {
          cause,
        },
      );
    });
    if (code === 0) return stdout;
    throw new KubectlError(`${what}: ${messageOf(stderr)}`, reasonOf(stderr));
  };
}

/** Messages of kubectl and the tunnel if the API server is unreachable. */
const unreachable =
  /connection refused|was refused|unable to connect|i\/o timeout|TLS handshake|\bEOF\b|no route to host|connection reset|broken pipe|ServiceUnavailable|etcdserver: (request timed out|leader changed)/i;

/** `Error from server (NotFound): …` */
function reasonOf(stderr: string): string {
  const reason = /Error from server \((\w+)\)/.exec(stderr)?.[1];
  if (reason !== undefined && reason !== 'ServiceUnavailable') return reason;
  // The API server responds that it cannot reach a pod, or that there is none.
  const isBehind = /error trying to reach service|no endpoints available/.test(stderr);
  return !isBehind && unreachable.test(stderr) ? 'Unreachable' : (reason ?? 'Failed');
}

function messageOf(stderr: string): string {
  const text = stderr
    .trim()
    .replaceAll(/^(error: |Error from server \(\w+\): |Warning: .*\n)/gim, '');
  return errorText(new Error(text || 'failed without an error message'));
}

/** Whether kubectl failed because the API server returned this reason. */
export function isRejected(error: unknown, reason: string): boolean {
  return error instanceof KubectlError && error.reason === reason;
}
