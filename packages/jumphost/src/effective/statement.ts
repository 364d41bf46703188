/** The signed statement that this computer is the jumphost, without which it does not stop a jumphost that it has replaced. */
import { parseJson } from '@skolo/base';
import type { Host } from '@skolo/computers';
import { isSigned, machineScript, Statement, statementFile } from '@skolo/rack/jumphost';

/** @returns lines, as `withLines` reads them. A jumphost that has not replaced another one has no statement. */
export async function statementInEffect(
  host: Host,
  rack: string,
  rackKey: () => Promise<string>,
): Promise<string[]> {
  const text = await host.read(statementFile);
  if (text === undefined) return [];
  const { data } = Statement.safeParse(parseJson(text));
  const machine = (await host.need(machineScript)).trim();
  const isOwn = data?.rack === rack && data.machine === machine;
  if (isOwn && isSigned(data, await rackKey())) return [];
  const why =
    data === undefined
      ? 'damaged'
      : isOwn
        ? 'not signed with the rack key'
        : 'of another rack or computer';
  return [
    `by hand: ${statementFile} is ${why}, so a jumphost that this computer has replaced would become active again; restore the file from a backup, or delete it if this computer has never replaced a jumphost`,
  ];
}
