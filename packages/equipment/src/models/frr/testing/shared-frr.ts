/** FRRouting takes long to start, so the tests of a file share it. */
import { type Frr, type FrrOptions, startFrr } from '@skolo/simulators';
import { afterAll, onTestFinished, type TestContext } from 'vitest';

export type Account = NonNullable<FrrOptions['account']>;

/**
 * Call at the top of a file: returns that file's router with this kind of account, without faults, in the state that earlier tests left.
 */
export function shareFrr(
  options: Omit<FrrOptions, 'account'> = {},
): (context: TestContext, account?: Account) => Promise<Frr> {
  const routers = new Map<Account, Promise<Frr | undefined>>();
  afterAll(async () => {
    for (const router of routers.values()) await (await router)?.close();
  });
  return async (context, account = 'vtysh') => {
    const starting = routers.get(account) ?? startFrr({ ...options, account });
    routers.set(account, starting);
    const router = await starting;
    if (!router) return context.skip('FRR or sshd are not installed, or may not be run');
    onTestFinished(() => router.setFault(undefined));
    return router;
  };
}
