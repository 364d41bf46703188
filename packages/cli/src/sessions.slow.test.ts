/** Sessions whose services or processes cost about a second and more. */
import { afterAll, describe, it } from 'vitest';
import { SessionPlayer, sessionNames } from './testing/session-player.ts';

const names = await sessionNames('slow');
const player = new SessionPlayer();
afterAll(() => player.close());

describe('skolo prints', () => {
  it.for(names)('%s', (name, context) => player.play(name, context));
});
