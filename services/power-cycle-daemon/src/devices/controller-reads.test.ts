/** Devices that are asked outlet by outlet: a reading of all of them must not be longer than an operation may take. */

import type { PowerDriver } from '@skolo/models/outlets';
import { describe, expect, it, onTestFinished } from 'vitest';
import { signInsOf } from '../testing/board-driver.ts';
import { Controller } from './controller.ts';

function oneByOne() {
  const asked: string[] = [];
  const driver: PowerDriver = {
    readsAtOnce: 4,
    async read(outlets) {
      asked.push(outlets.join(' '));
      return new Map(outlets.map((outlet) => [outlet, { state: 'on' }]));
    },
    turnOff: async () => undefined,
    async turnOn(outlet) {
      asked.push(`on ${outlet}`);
    },
    close: async () => undefined,
  };
  const clock = { now: () => 0 };
  const facts = { name: 'relay-1', model: 'command-switch', experimental: false };
  const controller = new Controller(facts, driver, signInsOf({ clock }), {
    clock,
    emit: () => undefined,
    maySwitch: () => undefined,
  });
  onTestFinished(() => controller.close());
  return { controller, asked };
}

describe('many readings of a device that is asked outlet by outlet', () => {
  it('are made a few at a time, and turning on comes in between', async () => {
    const { controller, asked } = oneByOne();
    const names = ['1', '2', '3', '4', '5', '6', '7', '8', '9'];

    const readings = names.map((name) => controller.read([name]));
    const on = readings[0]?.then(() => controller.turnOn('3', undefined));
    const all = await Promise.all(readings);
    await on;

    expect(asked).toEqual(['1 2 3 4', 'on 3', '5 6 7 8', '9']);
    expect(all.map((each, index) => each.get(names[index] ?? '')?.state)).toEqual(
      names.map(() => 'on'),
    );
  });

  it('that were asked for together are made together', async () => {
    const { controller, asked } = oneByOne();

    await controller.read(['1', '2', '3', '4', '5']);

    expect(asked).toEqual(['1 2 3 4 5']);
  });
});
