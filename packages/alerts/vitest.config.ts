import { fileURLToPath } from 'node:url';
import { packageTests } from '../../vitest.shared.ts';

const certificate = new URL('./src/testing/tls/localhost.crt', import.meta.url);

/** gRPC reads its roots once in a process, and the test files share one. */
export default packageTests({
  maxWorkers: 1,
  env: { GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: fileURLToPath(certificate) },
});
