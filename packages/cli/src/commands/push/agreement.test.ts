import { describe, expect, it } from 'vitest';
import { type Agreement, agree, type NamedPlan } from './agreement.ts';

const plan = (name: string, objects: number, deletions: number): NamedPlan => ({
  name,
  objects: Array(objects),
  deletions: Array(deletions),
});
const few = plan('rack4', 20, 10);
const many = plan('rack4', 20, 11);
const empty = plan('rack5', 0, 3);

/** The question that was asked, if any. */
async function ask(plans: NamedPlan[], agreement: Agreement, answer?: string) {
  let question: string | undefined;
  const io = {
    canAsk: answer !== undefined,
    ask: async (text: string) => {
      question = text;
      return answer;
    },
  };
  await agree(io, plans, agreement, new AbortController().signal);
  return question;
}

describe('agreement to a push', () => {
  it('is a yes', async () => {
    expect(await ask([few], { yes: false }, 'yes')).toBe('Type yes to push to rack4: ');
    expect(await ask([few], { yes: true })).toBeUndefined();
    await expect(ask([few], { yes: false }, 'y')).rejects.toThrow('nothing was changed');
    await expect(ask([few], { yes: false })).rejects.toThrow("confirm with '--yes'");
  });

  it.each([
    ['many objects', [many], 11, 'rack4'],
    ['all of a rack', [few, empty], 13, '2 racks'],
  ])('to delete %s is their number, also with --yes', async (_, plans, number, names) => {
    for (const yes of [true, false]) {
      expect(await ask(plans, { yes }, ` ${number}`)).toBe(
        `Type the number of objects to be deleted on ${names}: `,
      );
      await expect(ask(plans, { yes }, 'yes')).rejects.toThrow('nothing was changed');
      await expect(ask(plans, { yes })).rejects.toThrow(`confirm with '--deletions ${number}'`);
    }
    expect(await ask(plans, { yes: true, deletions: number })).toBeUndefined();
  });

  it('counts what was expected', async () => {
    await expect(ask([many], { yes: true, deletions: 10 })).rejects.toThrow(
      '11 objects would be deleted',
    );
    await expect(ask([few], { yes: true, deletions: 9 })).rejects.toThrow('10 objects');
  });
});
