/** `[HEADERS, URL…]`, in JSON: GET requests, all at the same time. Prints a list of `{ status, text }`. */
const [headers, ...urls] = JSON.parse(process.argv[1] ?? '');
const fetchOne = async (/** @type {string} */ url) => {
  try {
    const signal = AbortSignal.timeout(5000);
    const answer = await fetch(url, { headers, redirect: 'manual', signal });
    const text = (await answer.text()).slice(0, 2 ** 21);
    return { status: answer.status, text: text.includes('access_token') ? '' : text };
  } catch (error) {
    const { message, cause } = error instanceof Error ? error : new Error(String(error));
    return { status: 0, text: (cause instanceof Error && cause.message) || message };
  }
};
console.log(JSON.stringify(await Promise.all(urls.map(fetchOne))));
