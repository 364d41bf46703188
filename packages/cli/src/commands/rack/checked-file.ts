/** Errors and warnings of one rack.yaml. */
import { credentialFaults } from '@skolo/google';
import { type Evidence, evidenceOf, evidenceText } from '@skolo/models';
import {
  checkSecrets,
  locateFindings,
  type Rack,
  RackError,
  type RackIssue,
  rackOversights,
  readRack,
} from '@skolo/rack';

export interface CheckedFile {
  file: string;
  /** Absent if the file is not valid. */
  rack?: Rack;
  /** How far each model that the rack uses was verified on real hardware, in alphabetical order. */
  models?: ({ model: string } & Evidence)[];
  errors: RackIssue[];
  warnings: RackIssue[];
  /** Absent without `--secrets`, or if the file is not valid. */
  secrets?: { count: number; errors: RackIssue[]; warnings: RackIssue[] };
}

/** Never throws for an invalid or unreadable file. */
export async function checkFile(
  file: string,
  { secrets }: { secrets: boolean },
): Promise<CheckedFile> {
  try {
    const rack = await readRack(file);
    const used = new Set([...rack.infrastructure.values()].map(({ model }) => model));
    const models = [...used].sort().map((model) => ({ model, ...evidenceOf(model) }));
    const { pasted, warnings } = rackOversights(rack);
    const checked: CheckedFile = { file, rack, models, errors: pasted, warnings };
    return secrets ? { ...checked, secrets: await checkedSecrets(rack) } : checked;
  } catch (error) {
    if (!(error instanceof RackError)) throw error;
    return { file, errors: error.issues, warnings: [] };
  }
}

export function hasErrors({ errors, secrets }: CheckedFile): boolean {
  return errors.length > 0 || (secrets?.errors.length ?? 0) > 0;
}

/** `hardware evidence: not verified on hardware: edgeos, edgeswitch; read in 1 rack (firmware 6.8.0): apc-rpdu2`. */
export function evidenceLine({ models = [] }: CheckedFile): string | undefined {
  if (models.length === 0) return undefined;
  const groups = [...Map.groupBy(models, evidenceText)].map(
    ([text, same]) => `${text}: ${same.map(({ model }) => model).join(', ')}`,
  );
  return `hardware evidence: ${groups.join('; ')}`;
}

async function checkedSecrets(rack: Rack): Promise<NonNullable<CheckedFile['secrets']>> {
  const { tokenFileFindings } = await import('@skolo/common');
  const secrets = await checkSecrets(rack);
  const errors = [
    ...secrets.flatMap(({ path, error }) => (error ? [{ path, message: error.message }] : [])),
    ...(await credentialFaults(rack)),
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
