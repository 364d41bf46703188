/** People's orders and notes, and enrolled machines: acknowledged, and therefore in the journal. */
import { Order, Time } from '@skolo/api';
import { errorText } from '@skolo/base';
import { type Change, Tables, type TablesDeps } from '@skolo/base/durable';
import { HttpProblem, requestRecord } from '@skolo/common';
import { z } from 'zod';
import { enrolmentTables } from './enrolment/records.ts';

export const OrderRecord = Order.extend({
  /** Absent: only its machine reported it. */
  by: Order.shape.by.optional(),
  machine: z.string(),
  deliveredAt: Time.optional(),
  endedAt: Time.optional(),
  endedBy: z.string().optional(),
});
export type OrderRecord = z.output<typeof OrderRecord>;

const NoteRecord = z.object({
  id: z.string(),
  at: Time,
  machine: z.string(),
  by: z.string(),
  text: z.string(),
});

/**
 * A machine that has not reported its orders since the journal was lost or restored from a copy. Its first report may be all that is left
 * of an order.
 */
const UnheardRecord = z.object({ machine: z.string(), newest: Time.optional() });

/** The tables of the journal. */
export function openRecords(deps: TablesDeps) {
  const tables = new Tables(deps);
  return {
    tables,
    orders: tables.table('order', OrderRecord, ({ id }) => id),
    notes: tables.table('note', NoteRecord, ({ id }) => id),
    unheard: tables.table('unheard', UnheardRecord, ({ machine }) => machine),
    requests: tables.table('request', requestRecord(z.array(z.string())), ({ key }) => key),
    ...enrolmentTables(tables),
  };
}
export type Records = ReturnType<typeof openRecords>;

/** @throws HttpProblem 503: nothing has changed. */
export async function written(tables: Tables, changes: readonly Change[]): Promise<void> {
  try {
    await tables.write(changes);
  } catch (error) {
    throw new HttpProblem(503, `nothing was changed: ${errorText(error)}`, { cause: error });
  }
}
