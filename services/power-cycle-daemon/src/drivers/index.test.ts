import { models } from '@skolo/models';
import { expect, it } from 'vitest';
import { drivers } from './index.ts';

it('has a driver for each model that can switch power', () => {
  const switching = [...models.values()].filter(({ power }) => power !== undefined);

  expect([...drivers.keys()].sort()).toEqual(switching.map(({ name }) => name).sort());
});
