/** What clients of Alertmanager read: its API v2, as far as they need it. */
import { otherMethods } from '@skolo/common';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import {
  type AlertmanagerDeps,
  alertsFor,
  groupsFor,
  receivers,
  statusOf,
} from './alertmanager-api.ts';
import type { ReceiverAuth } from './auth.ts';
import { Refused } from './refused.ts';
import { refused } from './responses.ts';

/**
 * Mount it before other routes: `createApp({ first: [alertmanagerRouter(deps, auth, access.require('view'))], … })`.
 *
 * @param view admits who may read the service's own API
 */
export function alertmanagerRouter(
  deps: AlertmanagerDeps,
  auth: Pick<ReceiverAuth, 'fits'>,
  view: RequestHandler,
): RequestHandler {
  const router = Router({ caseSensitive: true });
  // POST of alerts is answered before this (receivers.ts).
  for (const path of ['/webhook', '/api/v1/alerts']) {
    router.all(path, otherMethods(new Set(['POST'])));
  }

  const reader = readers(auth, view);
  router.use(['/api/v2/alerts', '/api/v2/receivers', '/api/v2/status', '/api/v2/silences'], reader);
  router.use('/api/v2/silence', reader);
  const only = otherMethods(new Set(['GET']));
  router
    .get(
      '/api/v2/alerts',
      tell((query) => alertsFor(deps, query)),
    )
    .all('/api/v2/alerts', otherMethods(new Set(['GET', 'POST'])))
    .get(
      '/api/v2/alerts/groups',
      tell((query) => groupsFor(deps, query)),
    )
    .all('/api/v2/alerts/groups', only)
    .get(
      '/api/v2/receivers',
      tell(() => receivers(deps.settings())),
    )
    .all('/api/v2/receivers', only)
    .get(
      '/api/v2/status',
      tell(() => statusOf(deps)),
    )
    .all('/api/v2/status', only)
    .get(
      '/api/v2/silences',
      tell(() => []),
    )
    .post('/api/v2/silences', tell(noSilences))
    .all('/api/v2/silences', only)
    .all('/api/v2/silence/:id', tell(noSilences));
  for (const path of ['/-/ready', '/-/healthy']) {
    router
      .get(path, (_request, response) => void response.type('text/plain').send('OK'))
      .all(path, only);
  }
  return router;
}

function noSilences(): never {
  throw new Refused(
    'malformed',
    400,
    'silences are not supported here: every alert is sent; create silences in the Alertmanager before this, or where the alerts are read',
  );
}

/** One rule for all that is read: the role `view`. The receivers' own credentials do as well, since amtool has no others. */
function readers(auth: Pick<ReceiverAuth, 'fits'>, view: RequestHandler): RequestHandler {
  return async function mayRead(request, response, next) {
    const isReading = ['GET', 'HEAD'].includes(request.method);
    if (!isReading || (await auth.fits(request.get('authorization')))) return next();
    return view(request, response, next);
  };
}

function tell(answer: (query: URLSearchParams) => unknown): RequestHandler {
  return function tellReader(request: Request, response: Response) {
    try {
      const { searchParams } = new URL(request.url, 'http://localhost');
      response.json(answer(searchParams));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refused(response, 'v2', error);
    }
  };
}
