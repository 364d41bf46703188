/** `skolo inventory list`: three tables. */
import type { Equipment, Identity, Jumphost, Machine, Rack } from '@skolo/rack';
import type { Io } from '../../io.ts';
import { countOf } from '../../output/list.ts';
import { tally } from '../../output/overview.ts';
import { type Column, table } from '../../output/table.ts';
import { paragraph, styled } from '../../output/text.ts';
import { outletText, phoneText } from '../rack/wiring.ts';

/** A terminal of 80 columns shows name, address, power and uplink. */
const machineColumns: Column<Machine>[] = [
  { title: 'NAME', cell: ({ name }) => name, shrinkTo: 16 },
  { title: 'KIND', cell: ({ kind }) => kind, leaveOut: 2 },
  { title: 'SHELF', cell: ({ shelf }) => shelf, shrinkTo: 6, leaveOut: 1 },
  { title: 'ADDRESS', cell: ({ address }) => address },
  { title: 'POWER', cell: ({ power }) => power.map(outletText), shrinkTo: 10 },
  { title: 'UPLINK', cell: ({ uplink }) => uplink && outletText(uplink), shrinkTo: 10 },
  { title: 'IDENTITY', cell: ({ identity }) => identity, shrinkTo: 8, leaveOut: 4 },
  { title: 'PHONES', cell: ({ devices }) => devices.map(phoneText), shrinkTo: 9, leaveOut: 3 },
];

type EquipmentRow = Pick<Equipment, 'name' | 'address' | 'power' | 'uplink' | 'login'> & {
  model?: string;
};

const equipmentColumns: Column<EquipmentRow>[] = [
  { title: 'NAME', cell: ({ name }) => name, shrinkTo: 16 },
  { title: 'MODEL', cell: ({ model }) => model, shrinkTo: 8, leaveOut: 2 },
  { title: 'ADDRESS', cell: ({ address }) => address },
  { title: 'POWER', cell: ({ power }) => power.map(outletText), shrinkTo: 10 },
  { title: 'UPLINK', cell: ({ uplink }) => uplink && outletText(uplink), shrinkTo: 10 },
  { title: 'LOGIN', cell: ({ login }) => login, shrinkTo: 8, leaveOut: 1 },
];

const identityColumns: Column<Identity>[] = [
  { title: 'NAME', cell: ({ name }) => name, shrinkTo: 8 },
  { title: 'EMAIL', cell: ({ email }) => email, shrinkTo: 16 },
  { title: 'PROJECT', cell: ({ project }) => project, shrinkTo: 8 },
  { title: 'CREDENTIALS', cell: ({ credentials }) => credentials.kind, shrinkTo: 12 },
];

export function printInventory(io: Io, rack: Rack): void {
  const title = (text: string) => styled(text, 'bold', io.colour);
  const sections = [
    [
      paragraph(`${rack.name}: time zone ${rack.timezone}, ${network(rack)}`, io.columns).replace(
        rack.name,
        title,
      ),
      ...machineTotals([...rack.machines.values()], rack, io),
    ].join('\n'),
    section('machines', machineColumns, [...rack.machines.values()]),
    section('equipment', equipmentColumns, [
      asEquipment(rack.jumphost),
      ...rack.equipment.values(),
    ]),
    section('identities', identityColumns, [...rack.identities.values()]),
  ];
  io.out(sections.join('\n\n'));

  function section<Row>(name: string, columns: Column<Row>[], rows: Row[]): string {
    return rows.length === 0 ? `no ${name}` : table(columns, rows, io);
  }
}

/** Prints only these machines. */
export function printMachines(io: Io, rack: Rack, machines: readonly Machine[]): void {
  const totals = machineTotals(machines, rack, io);
  const head = totals.length === 0 ? ['no machines'] : totals;
  io.out(`${head.join('\n')}\n\n${table(machineColumns, machines, io)}`);
}

/** `200 machines: 180 rpi, 20 host; 100 shelf1, 100 shelf2`. */
function machineTotals(machines: readonly Machine[], rack: Rack, io: Io): string[] {
  if (machines.length === 0) return [];
  const kinds = tally(machines.map(({ kind }) => kind));
  const shelves = tally(machines.map(({ shelf = 'without a shelf' }) => shelf));
  const number = countOf(machines.length, rack.machines.size, 'machine');
  return [paragraph(`${number}: ${kinds}; ${shelves}`, io.columns)];
}

function asEquipment({ name, address, power, uplink }: Jumphost): EquipmentRow {
  return { name, model: 'jumphost', address, power, ...(uplink && { uplink }) };
}

function network({ network: { subnet, domain } }: Rack): string {
  return subnet === undefined ? `domain ${domain}` : `subnet ${subnet}, domain ${domain}`;
}
