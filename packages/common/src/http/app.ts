/** Decides the order in which a request is checked: the stages of every HTTP API, in one list. */
import type { RequestListener } from 'node:http';
import newRouter from 'router';
import { routeAnswers } from './answer.ts';
import type { AppOptions, Failed, Router, Stage } from './options.ts';
import type { BoundRoute } from './routes.ts';
import { matches, notFound } from './stages/not-found.ts';
import { openExchange } from './stages/open-exchange.ts';
import { running } from './stages/running.ts';
import { thisRack } from './stages/this-rack.ts';

export interface App {
  listener: RequestListener;
  /** Adds routes, even after the start. */
  add(routes: readonly BoundRoute[]): void;
}

export interface OwnStages {
  /** Of this server, such as who may connect. */
  stages?: readonly Stage[];
  /** They respond themselves, such as pages, or forward requests: after those that reject. */
  instead?: readonly Stage[];
}

/**
 * A stage that throws ends the request, and no later one has an effect. `answer.ts` continues the list for each route.
 *
 * @param app without stages; default: only the router of Express, for small processes
 */
export function httpApp(
  options: AppOptions,
  routes: readonly BoundRoute[],
  { stages = [], instead = [] }: OwnStages = {},
  app: Router = newRouter(),
): App {
  // Express' own.
  const router: Router = newRouter({ caseSensitive: true });
  const answerOf = routeAnswers(options);
  app.use(openExchange(options)); //                      first: rejections have a request ID, metrics and a log line, too
  app.use(running(options)); //                    503: all others need what the start opens
  for (const stage of stages) app.use(stage); //   403: by the connection and headers, whatever the path
  app.use(thisRack(options)); //                   421: before a path of another rack is looked up
  for (const stage of instead) app.use(stage); //  after all that reject requests for any path
  app.use(router); //                              answer.ts: only the route knows who may call it
  app.use(notFound); //                            404 405; OPTIONS: no route has responded
  app.use(failed); //                              last: all that is thrown becomes a problem

  function add(more: readonly BoundRoute[]): void {
    for (const route of more) {
      const at = router.route(route.label);
      at.all(matches(route));
      const answer = answerOf(route);
      // With `next`, an error would be compared with all other routes first.
      at[route.spec.method]((request, { locals: { exchange } }) =>
        answer(request, exchange).catch((error: unknown) => exchange.fail(error)),
      );
    }
  }
  add(routes);
  return { listener: (request, response) => app(request, response, () => response.destroy()), add };
}

/** Express knows it by its four parameters. */
const failed: Failed = (error, _request, response, _next) => response.locals.exchange.fail(error);
