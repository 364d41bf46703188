/** The answer of both peers: the bytes of one of our token answers, generated once. */

const body = JSON.stringify({
  access_token: `ya29.c.${'b'.repeat(214)}`.padEnd(1024, '.'),
  expires_in: 3599,
  token_type: 'Bearer',
});

export const token = {
  path: '/computeMetadata/v1/instance/service-accounts/default/token',
  body,
  headers: {
    'Metadata-Flavor': 'Google',
    Server: 'Metadata Server for VM',
    'X-XSS-Protection': '0',
    'X-Frame-Options': 'SAMEORIGIN',
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
  },
};
