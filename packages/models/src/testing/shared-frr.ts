/** FRRouting takes long to start, so the tests of a file share it. */
import { type Frr, type FrrOptions, startFrr } from '@skolo/simulators';
import { afterAll, onTestFinished, type TestContext } from 'vitest';

export type Account = NonNullable<FrrOptions['account']>;

/**
 * For a file, at its top: gives the router of that file with this kind of account, without a fault. It has what the tests
 * before have left there.
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
