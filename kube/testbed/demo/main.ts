import { startDemo } from './service.ts';

const demo = await startDemo({ host: '::', port: 8080 });
process.once('SIGTERM', () => void demo.close());
