/** All drivers, by the model that rack.yaml gives. To add one: a file, and a line here. */
import type { DriverKind } from './driver.ts';

export const drivers: ReadonlyMap<string, DriverKind> = new Map(
  ([] as DriverKind[]).map((driver) => [driver.model, driver]),
);
