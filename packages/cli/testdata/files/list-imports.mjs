/** With `node --import`: says which packages, and parts of ours, are loaded, one a line, on standard error. */
import { register } from 'node:module';

const hooks = `
import { writeSync } from 'node:fs';
export async function load(url, context, next) {
  const [, external] = /node_modules\\/((?:@[^/]+\\/)?[^/]+)\\/(?!.*node_modules)/.exec(url) ?? [];
  const [, own] = /packages\\/([a-z]+\\/src(\\/[a-z-]+)?)\\/index.ts$/.exec(url) ?? [];
  if (external || own) writeSync(2, (external ?? '@skolo/' + own.replace('/src', '')) + '\\n');
  return next(url, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
