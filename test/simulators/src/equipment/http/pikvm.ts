/**
 * A PiKVM with an ATX board and a switch, through its Redfish API: systems `0` (its own port) and `SwitchPort0` … A press of the button that
 * changes nothing is left out and answered with 204, there is no PowerCycle and no session, and errors have kvmd's own form. Without a
 * password it answers 401 and no challenge, with a wrong one 403.
 *
 * Sources: kvmd/apps/kvmd/api/redfish/atx.py, api/auth.py and kvmd/htserver.py of pikvm/kvmd. Assumed: how long a press takes to show.
 *
 * No recording: its state matters, because a press changes the power some time later.
 */
import { parseJson } from '@skolo/base';
import { z } from 'zod';
import {
  type Call,
  type HttpDevice,
  type HttpDeviceOptions,
  outletsOn,
  startHttpDevice,
} from './http-device.ts';
import type { Answer } from './http-message.ts';

const Command = z.object({ ResetType: z.string() });
const actions: Readonly<Record<string, boolean | undefined>> = {
  On: true,
  ForceOff: false,
  GracefulShutdown: false,
  ForceRestart: undefined,
  ForceOn: true,
  PushPowerButton: undefined,
};
const systems = '/redfish/v1/Systems';

function failed(status: number, error: string, error_msg = ''): Answer {
  return { status, body: { ok: false, result: { error, error_msg } } };
}

/** Its login is admin/admin. */
export function startPikvm(
  options: HttpDeviceOptions & { ports?: number } = {},
): Promise<HttpDevice> {
  const { ports = 4 } = options;
  const names = ['0', ...Array.from({ length: ports }, (_, port) => `SwitchPort${port}`)];
  const right = `Basic ${Buffer.from('admin:admin').toString('base64')}`;
  let given: string | undefined;
  return startHttpDevice(
    {
      model: 'redfish',
      board: outletsOn(names),
      signIn: {
        fits: ({ path, headers }) => {
          given = headers.authorization;
          return path === '/redfish/v1' || given === right;
        },
        rejection: () =>
          given === undefined ? failed(401, 'UnauthorizedError') : failed(403, 'ForbiddenError'),
      },
      routes: {
        [`GET ${systems}/:outlet`]: (call) => ({ body: system(call) }),
        [`POST ${systems}/:outlet/Actions/ComputerSystem.Reset`]: (call) => press(call),
        [`GET ${systems}/:id`]: () => failed(400, 'HttpError', 'Missing or invalid Server ID'),
      },
      notFound: { status: 404, body: '404: Not Found' },
    },
    { ...options, tls: true },
  );
}

function system({ outlet, device }: Call): object {
  const target = `${systems}/${outlet}/Actions/ComputerSystem.Reset`;
  return {
    '@odata.id': `${systems}/${outlet}`,
    '@odata.type': '#ComputerSystem.v1_10_0.ComputerSystem',
    Id: outlet,
    HostName: outlet,
    PowerState: device.board.isOn(outlet) ? 'On' : 'Off',
    Actions: {
      '#ComputerSystem.Reset': {
        'ResetType@Redfish.AllowableValues': Object.keys(actions),
        target,
      },
    },
  };
}

function press({ outlet, device, body }: Call): Answer {
  const type = Command.safeParse(parseJson(body)).data?.ResetType ?? '';
  if (!Object.hasOwn(actions, type))
    return failed(400, 'HttpError', 'Missing or invalid ResetType');
  const on = actions[type];
  device.act();
  if (on !== undefined) device.after(5.5, () => device.turn(outlet, on));
  return { status: 204 };
}
