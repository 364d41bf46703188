/** `SERVER FAMILY NAME…`: prints the addresses of the first name that the server resolves; without a server, as programs of this computer do. */
import { lookup, Resolver } from 'node:dns/promises';

const [server, family, ...names] = process.argv.slice(1);
const resolver = new Resolver({ timeout: 2000, tries: 2 });
if (server) resolver.setServers([server]);

const resolve = async (/** @type {string} */ name) =>
  server
    ? await resolver.resolve(name, family === '6' ? 'AAAA' : 'A')
    : [(await lookup(name, { family: Number(family) })).address];

let why = '';
for (const name of names) {
  try {
    console.log((await resolve(name)).join());
    process.exit();
  } catch (error) {
    why = error instanceof Error && 'code' in error ? `${error.code}` : `${error}`;
  }
}
console.log(`nothing (${why})`);
