/** What people order and note: acknowledged, and so in the journal. */
import { Order, Time } from '@skolo/api';
import { Tables, type TablesDeps } from '@skolo/durable';
import { z } from 'zod';

export const OrderRecord = Order.extend({
  machine: z.string(),
  deliveredAt: Time.optional(),
  endedAt: Time.optional(),
  endedBy: z.string().optional(),
});
export type OrderRecord = z.output<typeof OrderRecord>;

export const NoteRecord = z.object({
  id: z.string(),
  at: Time,
  machine: z.string(),
  by: z.string(),
  text: z.string(),
});
export type NoteRecord = z.output<typeof NoteRecord>;

/** The tables of the journal. */
export function openRecords(deps: TablesDeps) {
  const tables = new Tables(deps);
  return {
    tables,
    orders: tables.table('order', OrderRecord, ({ id }) => id),
    notes: tables.table('note', NoteRecord, ({ id }) => id),
  };
}
export type Records = ReturnType<typeof openRecords>;
