/** `npm run fixture -w packages/console`: the console of a simulated rack, for `npm run dev -w packages/console`. */
import { startFixture } from './fixture.ts';

const { url, tokens, fixture, show } = await startFixture({
  port: Number(process.env.SKOLO_PORT ?? 8004),
  machines: Number(process.argv[2] ?? 300),
  anonymousRead: ['127.0.0.0/8'],
});
console.log(`${url}  a token to sign in with: ${tokens.operate}`);

/** Tasks start and end. */
let turn = 0;
setInterval(() => {
  turn += 1;
  const machine = fixture.machines[(turn * 37) % fixture.machines.length];
  if (machine?.condition !== 'ok') return;
  const { task, ...others } = machine;
  show(
    task ? others : { ...others, task: { id: `task-${turn}`, since: new Date().toISOString() } },
  );
}, 500);
