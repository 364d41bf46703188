/** Reads machine-state's records of Pis with a shared image. */
import { enrolmentsApi } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { connectTo } from '../../reach/service-client.ts';

export function enrolmentService(command: SkoloCommand) {
  return connectTo(command, { api: enrolmentsApi, service: 'machine-state' });
}

/** Short form of a key's digest, as in tables. */
export function shortKey(key: string): string {
  return key.slice(0, 8);
}

/** The waiting Pi with this serial number. @throws CliError None, or several. */
export async function waitingPi(
  service: ReturnType<typeof enrolmentService>,
  { serial, key = '' }: { serial: string; key?: string | undefined },
) {
  const { waiting } = await service.ask((client) => client.enrolments());
  const all = waiting.filter((each) => each.serial === serial && each.key.startsWith(key));
  const [first, second] = all;
  if (first === undefined) {
    throw new CliError(
      `${serial}: no Pi with this serial number${key === '' ? '' : ' and key'} has a pending enrolment; to list pending enrolments, run skolo pi waiting`,
    );
  }
  if (second === undefined) return first;
  const keys = all.map((each) => shortKey(each.key)).join(', ');
  throw new CliError(
    `${serial}: ${all.length} SD cards report this serial number; specify the key of the right card with --key: ${keys}`,
  );
}
