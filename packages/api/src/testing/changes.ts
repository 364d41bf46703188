/** The APIs of all services, and their routes that change something: tests check the documentation of each. */
import * as everything from '../index.ts';
import type { Api, RouteSpec } from '../route/route.ts';

export const apis = Object.entries(everything).flatMap(([name, value]): [string, Api][] =>
  name.endsWith('Api') && typeof value === 'object' ? [[name, value as Api]] : [],
);

export const changes = apis.flatMap(([api, routes]) =>
  Object.entries<RouteSpec>(routes)
    .filter(([, { method }]) => method !== 'get')
    .map(([name, spec]): [string, RouteSpec] => [`${api}.${name}`, spec]),
);
