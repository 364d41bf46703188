/** Turns any error of a handler into a response: status, text for people, and `Retry-After` for errors that pass. */
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { isDiskFull } from '@skolo/base';
import { StorageUnavailable } from '@skolo/base/durable';
import { HttpProblem } from './problem.ts';

/** What a service knows of its rack. */
export interface ServedRack {
  readonly name: string;
  readonly jumphost?: { readonly name: string };
}

/** The computer of a service, as commands name it. @param self the machine that the service runs on; default: the jumphost */
export function placeOf(rack?: ServedRack, self?: string) {
  return { machine: self ?? rack?.jumphost?.name ?? hostname(), rack: rack?.name };
}

/** Converts any error to a problem. An unexpected one becomes a 500 without details. */
export function toProblem(error: unknown, place = placeOf()): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof StorageUnavailable) {
    const headers = { 'retry-after': '30' };
    return new HttpProblem(503, storageText(error, place), { headers, cause: error });
  }
  if (error instanceof URIError) {
    return new HttpProblem(400, 'the path has an invalid %-escape; write each % as %25');
  }
  return new HttpProblem(
    500,
    "internal error; search the service's log for the x-request-id of this response",
    { cause: error },
  );
}

/** What is wrong with a disk, and the command that shows the cause. */
export function storageText(
  error: StorageUnavailable,
  { machine, rack }: ReturnType<typeof placeOf>,
): string {
  const folder = dirname(error.folder);
  const look = isDiskFull(error)
    ? `sudo du -xh $(stat -c %m ${folder}) | sort -h | tail -n 30`
    : `df -h ${folder}; ls -ld ${folder}; sudo dmesg | tail -n 20`;
  const on = rack === undefined ? '' : ` --on ${rack}`;
  return `${error.message}; to find the cause, run skolo run ${machine}${on} --timeout 5m -- '${look}'`;
}
