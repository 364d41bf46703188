/** For tests of all packages. */

export { feed, run } from '../programs/run.ts';
export { cleanUps } from './clean-ups.ts';
export { collectGarbage } from './collect-garbage.ts';
export { listen } from './listen.ts';
export { longestTurn, type Turn } from './longest-turn.ts';
export { mountFreezable, mountSmall } from './mount-small.ts';
export { needs } from './needs.ts';
export { pathsOf } from './paths-of.ts';
export { processorTime, slowness } from './processor-time.ts';
export { serveExampleTest, startProxy } from './proxy.ts';
export { type Reply, type SendOptions, sendRequest, sendText } from './send.ts';
export { type AtTheEnd, tempDir } from './temp-dir.ts';
export { runs, testSeed } from './test-seed.ts';
export { untilTestEnds } from './until-test-ends.ts';
