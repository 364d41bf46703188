/** The device that a request is about. */
import { HttpProblem } from '@skolo/common/light';

/**
 * The device with this name; without a name, the only one.
 *
 * @param hint the names to choose from
 * @throws HttpProblem 404
 */
export function oneDevice<T extends { name: string }>(
  devices: readonly T[],
  name: string | undefined,
  hint: string,
): T {
  if (devices.length === 0)
    throw new HttpProblem(404, 'rack.yaml does not list any devices for this machine');
  const [first, second] = devices.filter((each) => each.name === (name ?? each.name));
  if (first === undefined) throw new HttpProblem(404, `no device ${name}; ${hint}`);
  if (second !== undefined) throw new HttpProblem(404, `several devices; specify one; ${hint}`);
  return first;
}
