/** Prints errors and warnings of one rack.yaml. */
import type { Finding, FindingState } from '@skolo/base';
import { type Evidence, evidenceOf, evidenceText } from '@skolo/equipment/models';
import { credentialFaults } from '@skolo/google';
import {
  checkSecrets,
  locateFindings,
  type Rack,
  RackError,
  type RackIssue,
  rackOversights,
  readRack,
} from '@skolo/rack';
import { parted } from './check.ts';

type Models = ({ model: string } & Evidence)[];

export interface CheckedFile {
  file: string;
  /** Absent if the file is not valid. */
  rack?: string;
  machines?: number;
  equipment?: number;
  /** How far each model that the rack uses was verified on real hardware, in alphabetical order. */
  models?: Models;
  /** Absent without `--secrets`, or if the file is not valid. */
  secrets?: number;
  findings: Finding[];
}

/** Never throws for an invalid or unreadable file. */
export async function checkFile(file: string, withSecrets: boolean): Promise<CheckedFile> {
  try {
    const rack = await readRack(file);
    const used = new Set([...rack.equipment.values()].map(({ model }) => model));
    const models = [...used].sort().map((model) => ({ model, ...evidenceOf(model) }));
    const { pasted, warnings } = rackOversights(rack);
    const secrets = withSecrets ? await checkedSecrets(rack) : undefined;
    return {
      file,
      rack: rack.name,
      machines: rack.machines.size,
      equipment: rack.equipment.size,
      models,
      ...(secrets && { secrets: secrets.count }),
      findings: [
        ...[...pasted, ...(secrets?.errors ?? [])].map(issueAs('differs')),
        ...[...warnings, ...(secrets?.warnings ?? [])].map(issueAs('warning')),
        ...evidence(rack.name, models),
      ],
    };
  } catch (error) {
    if (!(error instanceof RackError)) throw error;
    return { file, findings: error.issues.map(issueAs('differs')) };
  }
}

/** The thing is as compilers print it; programs get its parts, too. */
function issueAs(state: FindingState) {
  return ({ message, ...at }: RackIssue): Finding & Omit<RackIssue, 'message'> => {
    const { file, line, column, path } = at;
    const thing = `${file}:${line}:${column} ${path}`.trim();
    return { thing, state, ...parted(message), ...at };
  };
}

/** `not verified on hardware: edgeos, edgeswitch; read in 1 rack (firmware 6.8.0): apc-rpdu2`. */
export function evidence(rack: string, models: Models): Finding[] {
  if (models.length === 0) return [];
  const groups = [...Map.groupBy(models, evidenceText)].map(
    ([text, same]) => `${text}: ${same.map(({ model }) => model).join(', ')}`,
  );
  return [{ thing: 'hardware evidence', where: [rack], state: 'info', found: groups.join('; ') }];
}

async function checkedSecrets(rack: Rack) {
  const { tokenFileFindings } = await import('@skolo/common');
  const secrets = await checkSecrets(rack);
  const errors = [
    ...secrets.flatMap(({ path, error }) => (error ? [{ path, message: error.message }] : [])),
    ...(await credentialFaults(rack, secrets)),
    ...(await tokenFileFindings(rack)),
  ];
  const warnings = secrets.flatMap(({ path, warnings }) =>
    warnings.map((message) => ({ path, message })),
  );
  return {
    count: secrets.length,
    errors: locateFindings(rack, errors),
    warnings: locateFindings(rack, warnings),
  };
}
