// The fetch of node (undici) and of deno: both take the CA from the environment.
const [mode, url] = typeof process === 'undefined' ? Deno.args : process.argv.slice(2);
fetch(url, { method: mode.toUpperCase(), body: mode === 'post' ? '{}' : undefined }).then(async (answer) => {
  await answer.text();
  console.log(answer.status);
});
