/** Records that enrolment must not forget: they were acknowledged, and are therefore in the journal. */
import { EnrolledPi, EnrolmentSecret, RevokedPi, Time } from '@skolo/api';
import type { Tables } from '@skolo/base/durable';
import { z } from 'zod';

const Enrolled = EnrolledPi.extend({ force: z.boolean().optional() });

const Adopted = z.object({
  key: z.string(),
  name: z.string(),
  by: z.string(),
  reason: z.string(),
  force: z.boolean(),
  at: Time,
});

const KeptSecret = EnrolmentSecret.extend({ sha256: z.string() });
export type KeptSecret = z.output<typeof KeptSecret>;

/** Tables in machine-state's journal. */
export function enrolmentTables(tables: Tables) {
  return {
    enrolled: tables.table('enrolled', Enrolled, ({ name }) => name),
    revoked: tables.table('revoked', RevokedPi, ({ key }) => key),
    adopted: tables.table('adopted', Adopted, ({ key }) => key),
    secrets: tables.table('enrolment-secret', KeptSecret, ({ id }) => id),
  };
}
