import { fileURLToPath } from 'node:url';
import { mergeConfig } from 'vitest/config';
import { together } from '../../vitest.shared.ts';

const certificate = new URL('./src/testing/tls/localhost.crt', import.meta.url);

/** gRPC reads its roots once in a process, and the test files share processes. */
export default mergeConfig(together, {
  test: { env: { GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: fileURLToPath(certificate) } },
});
